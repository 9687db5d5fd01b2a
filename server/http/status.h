// What a status means (RFC 9110, 15), to programs and to people.
#pragma once

#include <string_view>

namespace spanwire::http {

// The reason phrase, or nothing for a status that this server never sends.
std::string_view status_phrase(int status);

// One sentence to the person who meets this error: what to do about it. Nothing below 400.
std::string_view status_advice(int status);

// Whether an answer of that status can have a body (RFC 9110, 6.4.1).
constexpr bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace spanwire::http
