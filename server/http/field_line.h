// One field line of a head or of a trailer section (RFC 9112, 5). Internal to http/.
#pragma once

#include <string_view>

#include "http/message.h"

namespace spanwire::http {

// Reads a field line, its CRLF included, at the front of [at, end) and moves `at` behind it. On
// false `at` has not moved and `reason` says why; where the bytes hold no LF, the line may still
// turn out well when more of it has come.
bool read_field_line(const char*& at, const char* end, Header& out, std::string_view& reason);

}  // namespace spanwire::http
