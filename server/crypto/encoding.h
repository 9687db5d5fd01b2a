// Bytes as text: base16, base32 and base64 (RFC 4648). Decoding is strict: every byte of the text
// counts, and of all texts for some bytes only the one that encoding gives is accepted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spanwire::crypto {

std::string to_hex(std::string_view bytes);        // lower case
std::string to_base32(std::string_view bytes);     // upper case, without padding
std::string to_base64(std::string_view bytes);     // with padding
std::string to_base64url(std::string_view bytes);  // - and _, without padding

std::optional<std::string> from_hex(std::string_view text);  // either case
std::optional<std::string> from_base32(std::string_view text);
std::optional<std::string> from_base64(std::string_view text);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace spanwire::crypto
