// The request line (RFC 9112, 3). Internal to http/.
#pragma once

#include <cstddef>
#include <string_view>

#include "http/message.h"

namespace spanwire::http {

// No method in the IANA registry is longer than 17 bytes (UPDATEREDIRECTREF).
inline constexpr std::size_t max_method_bytes = 32;

// Finds the method at the front of `line`; on ok `method` is it and a space follows. This alone is
// judged before the line is complete, so that a TLS client on a plain port gets its answer.
Parse find_method(std::string_view line, std::string_view& method, Problem& problem);

// Reads what follows the method and its space, CRLF included, at the front of [at, end), and moves
// `at` behind it: target and version. On false `at` has not moved and `problem` says why; where the
// bytes hold no LF, the line may still turn out well when more of it has come.
bool read_target_and_version(const char*& at, const char* end, Request& out, Problem& problem);

// Interprets a complete request line: the method, and the form of the target (RFC 9112, 3.2). From
// a target in absolute form the host is taken as well; otherwise it is left empty.
bool interpret_request_line(std::string_view method, Request& out, Problem& problem);

}  // namespace spanwire::http
