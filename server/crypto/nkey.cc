#include "crypto/nkey.h"

#include <openssl/evp.h>

#include <memory>

#include "base/assert.h"
#include "crypto/encoding.h"

namespace spanwire::crypto {

namespace {

constexpr std::size_t checksum_bytes = 2;

std::uint16_t crc16(std::string_view bytes) {
  std::uint32_t crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(byte)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0U);
  }
  return static_cast<std::uint16_t>(crc);
}

std::string checksum_of(std::string_view bytes) {
  const std::uint16_t crc = crc16(bytes);
  return {static_cast<char>(crc & 0xffU), static_cast<char>(crc >> 8)};
}

bool is_kind(std::uint8_t value) {
  switch (static_cast<NkeyKind>(value)) {
    case NkeyKind::account:
    case NkeyKind::cluster:
    case NkeyKind::server:
    case NkeyKind::operator_:
    case NkeyKind::user:
    case NkeyKind::curve:
      return true;
  }
  return false;
}

}  // namespace

std::string to_text(const Nkey& nkey) {
  BASE_ASSERT(nkey.key.size() == nkey_bytes);
  std::string bytes(1, static_cast<char>(nkey.kind));
  bytes += nkey.key;
  bytes += checksum_of(bytes);
  return to_base32(bytes);
}

std::optional<Nkey> parse_nkey(std::string_view text) {
  if (text.size() != nkey_digits) return std::nullopt;
  const std::optional<std::string> bytes = from_base32(text);
  if (!bytes) return std::nullopt;
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - checksum_bytes);
  if (bytes->substr(body.size()) != checksum_of(body)) return std::nullopt;
  const auto kind = static_cast<std::uint8_t>(body.front());
  if (!is_kind(kind)) return std::nullopt;
  return Nkey{static_cast<NkeyKind>(kind), std::string(body.substr(1))};
}

std::string make_server_id() {
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  BASE_ASSERT(key != nullptr);
  Nkey id{NkeyKind::server, std::string(nkey_bytes, '\0')};
  std::size_t size = id.key.size();
  const int got = EVP_PKEY_get_raw_public_key(
      key.get(), reinterpret_cast<unsigned char*>(id.key.data()), &size);
  BASE_ASSERT(got == 1);
  BASE_ASSERT(size == nkey_bytes);
  return to_text(id);
}

}  // namespace spanwire::crypto
