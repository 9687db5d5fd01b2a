// What `spanwire store check` finds out about a store, without changing it. Blocks; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/files.h"
#include "store/log.h"

namespace spanwire::store {

enum class Weight : std::uint8_t {
  note,        // as it should be after a crash or beside other files; a start tidies up
  slow_start,  // what only makes a start short is missing, stale or damaged; it is made anew
  unreadable,  // it could not be looked at, or is of a newer server
  damage,      // it is not what was acknowledged
};

struct Finding {
  Weight weight{};
  std::string path;
  std::string text;  // what it is, and what becomes of it
};

struct JournalCheck {
  bool is_there = false;
  std::uint64_t ring_bytes = 0;
  std::uint64_t replayed_blocks = 0;  // that the next start replays
  std::uint64_t replayed_bytes = 0;
  std::vector<Finding> findings;
};

struct StreamCheck {
  std::uint64_t number = 0;
  std::optional<std::string> settings;  // its owner's words; nullopt: they are damaged
  std::size_t segments = 0;
  std::uint64_t messages = 0;
  Sequence first = 0;  // of the messages; 0: there are none
  Sequence last = 0;
  std::uint64_t log_bytes = 0;   // of its segments, up to their ends
  std::uint64_t live_bytes = 0;  // of these, records of messages that are there
  std::vector<Finding> findings;
};

class CheckListener {
 public:
  virtual ~CheckListener() = default;
  virtual void on_journal(const JournalCheck& journal) = 0;
  virtual void on_stream(const StreamCheck& stream) = 0;
  virtual void on_leftover(const Finding& finding) = 0;
  // It is being read now.
  virtual void on_segment(std::string_view path) = 0;
};

// Fails where there is no store, or one of a newer server.
base::Status check_store(Files& files, CheckListener& listener);

}  // namespace spanwire::store
