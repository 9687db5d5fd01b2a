// The parser's view of the real world: the only file of this module that asks the system.
#pragma once

#include "config/parser.h"

namespace spanwire::config {

// Reads regular files of at most `max_bytes`.
base::Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

// Files of the disk and variables of this process.
Sources system_sources();

}  // namespace spanwire::config
