// Protocol lines as the log shows them, spelled as nats-server's -V does: tools and people who
// compare the two read the same. Who traces what is decided elsewhere (wire/tracer.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nats/codec.h"
#include "nats/connect.h"

namespace spanwire::nats {

// Of one payload, in bytes; the log cuts a line at as much.
inline constexpr std::size_t max_traced_bytes = 64 * 1024;

// How a client that has been let in is called behind its address and number:
// ` - "v1.2:py:app" - "$G/user:joe"`, or less where it has said less of itself.
std::string client_label(const ConnectOptions& options, std::string_view account);

// The JSON of a CONNECT without its secrets: passwords, tokens, keys, signatures and JWTs are
// `[REDACTED]`. What is no JSON may have secrets anywhere: only its size is shown.
std::string redact(std::string_view json);

// `SUB foo 1`, `PUB foo 5`, `CONNECT {…}`: the line as it came, but for the blanks behind the verb.
std::string command_text(const Command& command);

// `MSG foo 1 reply 5`, or an HMSG where there are headers.
std::string message_text(std::string_view subject, std::string_view sid, std::string_view reply,
                         std::size_t header_size, std::size_t total_size);

// `"hello"`: headers and payload as a Go string; of a longer one the first `limit` bytes and dots.
// A limit of 0 is max_traced_bytes.
std::string payload_text(std::string_view headers, std::string_view payload, std::size_t limit);

}  // namespace spanwire::nats
