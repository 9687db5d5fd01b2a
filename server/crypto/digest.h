// Hashes of bytes. SHA-1 is for the WebSocket handshake alone; it protects nothing.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace spanwire::crypto {

template <std::size_t size>
struct Digest {
  std::array<char, size> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  friend bool operator==(const Digest&, const Digest&) = default;
};

using Sha1 = Digest<20>;
using Sha256 = Digest<32>;

Sha1 sha1(std::string_view bytes);
Sha256 sha256(std::string_view bytes);

}  // namespace spanwire::crypto
