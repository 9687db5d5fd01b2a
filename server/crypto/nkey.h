// NKeys: Ed25519 public keys as NATS writes them. A byte for the kind, the 32 bytes of the key and
// a checksum (CRC-16/XMODEM, low byte first) are 56 digits of base32; the first one shows the kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spanwire::crypto {

// The value is the first byte: the number of the letter in base32, in the high five bits.
enum class NkeyKind : std::uint8_t {
  account = 0 << 3,     // A
  cluster = 2 << 3,     // C
  server = 13 << 3,     // N
  operator_ = 14 << 3,  // O
  user = 20 << 3,       // U
  curve = 23 << 3,      // X
};

struct Nkey {
  NkeyKind kind = NkeyKind::account;
  std::string key;  // nkey_bytes of it

  friend bool operator==(const Nkey&, const Nkey&) = default;
};

inline constexpr std::size_t nkey_bytes = 32;
inline constexpr std::size_t nkey_digits = 56;

std::string to_text(const Nkey& nkey);
// Nothing if the length, a digit, the kind or the checksum is wrong.
std::optional<Nkey> parse_nkey(std::string_view text);

// The id of a server that starts: the public part of a new Ed25519 key, whose private part is
// thrown away.
std::string make_server_id();

}  // namespace spanwire::crypto
