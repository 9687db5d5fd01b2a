// Reading and extending a raw NATS/1.0 header block, as messages carry it:
//   NATS/1.0[ status[ text]] CR LF  *(name: value CR LF)  CR LF
// A block from a NATS client was never checked, so everything here takes any bytes. Names differ by
// case, as nats-server and the clients have it; one name may come more than once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spanwire::bus {

struct Header {
  std::string_view name;
  std::string_view value;  // without the blanks around it
};

// Takes the header lines off a block, one at a time, from the second line up to the empty one.
// Lines without a colon or a name are passed over.
class HeaderLines {
 public:
  explicit HeaderLines(std::string_view block);
  // False when none is left; `header` is then untouched.
  bool next(Header& header);

 private:
  std::string_view rest_;
};

// The value of the first header of that name.
std::optional<std::string_view> find_header(std::string_view block, std::string_view name);

struct HeaderStatus {
  std::uint16_t code = 0;  // three digits
  std::string_view text;   // may be empty
};

// What the first line tells, as in `NATS/1.0 503`; nullopt where it is an ordinary message's.
std::optional<HeaderStatus> read_status(std::string_view block);

// Adds a header behind those of the block; an empty block becomes one first. False, and the block
// as it was, where the header cannot be spelled (a name that is empty or has a colon, blank or
// control byte; CR or LF in the value, which would begin a header of the sender's choice) or the
// block does not end as one.
bool append_header(std::string& block, std::string_view name, std::string_view value);

}  // namespace spanwire::bus
