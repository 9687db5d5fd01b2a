// `spanwire store check DIR` and `spanwire store dump DIR`: a look into the folder of a server that
// is stopped. Nothing in it is changed (docs/operate/store.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "app/options.h"

namespace spanwire::app {

struct StoreCommand {
  bool dump = false;  // else check
  std::string folder;
  std::string stream;                  // dump: its name or number; empty: all, and the journal
  std::optional<std::uint64_t> from;   // dump: the first message's sequence
  std::optional<std::uint64_t> limit;  // dump: so many records of each stream
};

// `arguments` are those behind the word `store`.
std::variant<StoreCommand, Exit> parse_store_command(const Program& program,
                                                     std::span<const std::string_view> arguments);

// What `store --help` prints.
std::string store_usage(const Program& program);

// Writes to standard output and standard error. Returns the exit status: 0 all is well, 1 damage
// was found, 2 the store could not be read.
int run_store_command(const Program& program, const StoreCommand& command);

}  // namespace spanwire::app
