// The Basic authentication scheme (RFC 7617).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanwire::http {

struct BasicCredentials {
  std::string user;
  std::string password;
};

// other_scheme: not ours to judge, as `Bearer …`. malformed: Basic, but not to be read.
enum class BasicAuth : std::uint8_t { ok, other_scheme, malformed };

// Reads the value of an Authorization field. The base64 must be the one that an encoder writes:
// padded, no foreign byte, unused bits zero. Control characters are refused (RFC 7617, 2). Unless
// it returns ok, `out` is untouched.
BasicAuth parse_basic_auth(std::string_view value, BasicCredentials& out);

}  // namespace spanwire::http
