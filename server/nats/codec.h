// The NATS client protocol, from a client's bytes to commands. encode.h has the way back, connect.h
// and info.h the JSON of CONNECT and INFO. What is accepted, and at which byte what is not is
// noticed, is what nats-server 2.14.5 was seen to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bus/message.h"

namespace spanwire::nats {

enum class Verb : std::uint8_t { connect, info, ping, pong, pub, hpub, sub, unsub, ok, err };

// The verb in capitals, for a trace line.
std::string_view verb_name(Verb verb);

struct Limits {
  // Bytes of a line's argument, that is what follows the verb and blanks; blanks before it, but for
  // the first, and what stands behind a bare verb are held to the same number.
  std::uint32_t control_line = 4096;
  std::uint32_t payload = 1U << 20U;  // bytes of headers and payload together
  bool headers = false;               // what CONNECT agreed on: without it HPUB is refused
};

// One command. Only the fields that its verb names are set, the others hold anything. The views
// point into the decoded bytes.
struct Command {
  Verb verb = Verb::ping;
  std::uint32_t header_size = 0;  // hpub; 0 for pub
  std::uint32_t total_size = 0;   // pub, hpub: headers and payload
  std::uint32_t max = 0;          // unsub: 0 where none, or no number, was given
  std::string_view
      argument;  // all but ping, pong, ok: for connect and info the JSON, for err the text
  std::string_view subject;  // sub; for the codec any bytes but blanks
  std::string_view queue;    // sub; empty: none
  std::string_view sid;      // sub, unsub
  // pub, hpub: route and subject are the same, any bytes but blanks; the reply may be empty.
  // Headers (header_size bytes, not looked at) and payload are not set by `body`. Its origin is
  // left alone.
  bus::MessageView message;
};

enum class Decode : std::uint8_t {
  ok,         // one command
  need_more,  // the start of one
  body,       // a pub or hpub whose line is complete, but not its payload with CR LF behind it
  // What follows closes the connection, with the text that error_text() has.
  unknown_operation,  // a byte that no command has there; also another end of a payload than CR LF
  line_too_long,
  payload_too_large,  // said as soon as the line is complete
  silent,  // a wrong number of arguments, a bad size, headers where they were not agreed on: no
           // text
};

struct Decoded {
  Decode result = Decode::need_more;
  // ok: the size of the command; body: of its control line only; otherwise 0.
  std::size_t consumed = 0;
};

// Reads one command from the front of `in`. It keeps no state: after need_more and body call it
// again with the same bytes and more behind them, or, after body, take the line off, receive
// total_size bytes elsewhere and then payload_end, in whose place anything else is an
// unknown_operation. However the bytes are cut, the outcome is the same. Verbs are accepted in any
// case, blanks are spaces and tabs, and a LF alone ends a line.
// What the reference makes of the rarer ones: after `err` it closes in silence; `info` whose JSON
// is wrong (check_info) closes in silence, and changes nothing otherwise; nor does `ok`.
// Where this differs from it: the runs that Limits bounds have no bound there; HMSG, which it takes
// from a client as a publish to no subject, is an unknown_operation; and a CR inside a line that
// ends with LF alone, for which it cuts off the last byte, stays.
Decoded decode(std::string_view in, const Limits& limits, Command& out);

// What must stand behind every payload.
inline constexpr std::string_view payload_end = "\r\n";

// What `-ERR '...'` says before the connection closes; empty where it closes without a word.
std::string_view error_text(Decode error);

}  // namespace spanwire::nats
