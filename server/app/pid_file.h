// The file that tells scripts the server's process id.
#pragma once

#include <string>

#include "base/result.h"

namespace spanwire::app {

// Writes `pid` and nothing else to the file, readable by its owner only. It stays when the server
// ends, as nats-server leaves it.
base::Status write_pid_file(const std::string& path, int pid);

}  // namespace spanwire::app
