// The NATS client protocol, from commands to a server's bytes. What is written for every delivery
// goes into the caller's buffer, the rest to the end of a string.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace spanwire::nats {

inline constexpr std::string_view ok_line = "+OK\r\n";
inline constexpr std::string_view ping_line = "PING\r\n";
inline constexpr std::string_view pong_line = "PONG\r\n";

// A delivery is a prefix, which stays the same for a subscription and a subject,
//   HMSG subject sid_            (without its first byte that of a MSG; the last is a blank)
// a tail, which is the same for all receivers of one kind of a message,
//   [reply ]size CR LF           [reply ]header_size total_size CR LF
// then headers and payload, and payload_end (codec.h).

inline std::size_t prefix_size(std::string_view subject, std::string_view sid) {
  return 5 + subject.size() + 1 + sid.size() + 1;
}

// The most that a tail takes.
inline std::size_t max_tail_size(std::string_view reply) {
  return reply.size() + 1 + 10 + 1 + 10 + 2;
}

inline char* write_number(char* out, std::uint32_t number) {
  if (number < 10) {
    *out = static_cast<char>('0' + number);
    return out + 1;
  }
  if (number < 100) {
    out[0] = static_cast<char>('0' + number / 10);
    out[1] = static_cast<char>('0' + number % 10);
    return out + 2;
  }
  return std::to_chars(out, out + 10, number).ptr;
}

// Each writes at `out` and returns the end of what it wrote. The prefix is HMSG's, prefix_size()
// bytes long.
inline char* write_prefix(char* out, std::string_view subject, std::string_view sid) {
  out = base::put_text(out, "HMSG ");
  out = base::put_text(out, subject);
  *out++ = ' ';
  out = base::put_text(out, sid);
  *out++ = ' ';
  return out;
}

inline char* write_reply(char* out, std::string_view reply) {
  if (reply.empty()) return out;
  out = base::put_text(out, reply);
  *out++ = ' ';
  return out;
}

inline char* write_msg_tail(char* out, std::string_view reply, std::uint32_t size) {
  out = write_number(write_reply(out, reply), size);
  return base::put_text(out, "\r\n");
}

inline char* write_hmsg_tail(char* out, std::string_view reply, std::uint32_t header_size,
                             std::uint32_t total_size) {
  out = write_number(write_reply(out, reply), header_size);
  *out++ = ' ';
  out = write_number(out, total_size);
  return base::put_text(out, "\r\n");
}

// Appends `-ERR 'text'`.
void append_error(std::string& out, std::string_view text);

// Appends the answer to a request that nobody took: a whole HMSG of status 503 on the reply
// subject, which names the subject of the request.
void append_no_responders(std::string& out, std::string_view reply, std::string_view sid,
                          std::string_view subject);

}  // namespace spanwire::nats
