#include "http/basic_auth.h"

#include <algorithm>
#include <cstddef>

#include "http/message.h"

namespace spanwire::http {

namespace {

// 0 to 63, or -1 (RFC 4648, 4).
int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

bool decode_base64(std::string_view in, std::string& out) {
  if (in.size() % 4 != 0) return false;
  for (int i = 0; i < 2 && !in.empty() && in.back() == '='; ++i) in.remove_suffix(1);
  out.reserve(in.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;  // bits of `bits` that are not written yet
  for (const char c : in) {
    const int value = base64_value(c);
    if (value < 0) return false;
    bits = ((bits << 6) | static_cast<std::uint32_t>(value)) & 0xfffU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>((bits >> held) & 0xffU));
  }
  return (bits & ((1U << held) - 1)) == 0;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

BasicAuth parse_basic_auth(std::string_view value, BasicCredentials& out) {
  const std::size_t space = std::min(value.find(' '), value.size());
  if (!equal_ignoring_case(value.substr(0, space), "Basic")) return BasicAuth::other_scheme;
  value.remove_prefix(space);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  std::string pair;
  if (!decode_base64(value, pair)) return BasicAuth::malformed;
  const std::size_t colon = pair.find(':');  // a user's name has none, a password may
  if (colon == std::string::npos) return BasicAuth::malformed;
  if (std::any_of(pair.begin(), pair.end(), is_control)) return BasicAuth::malformed;
  out.user = pair.substr(0, colon);
  out.password = pair.substr(colon + 1);
  return BasicAuth::ok;
}

}  // namespace spanwire::http
