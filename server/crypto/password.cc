#include "crypto/password.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <memory>
#include <string>

namespace spanwire::crypto {

namespace {

// "$2b$NN$", 22 digits of salt and 31 of hash.
constexpr std::size_t setting_chars = 29;
constexpr std::size_t bcrypt_chars = 60;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool is_bcrypt(std::string_view secret) {
  if (secret.size() < 7 || !secret.starts_with("$2")) return false;
  const bool is_version = std::string_view("abxy").find(secret[2]) != std::string_view::npos;
  return is_version && secret[3] == '$' && is_digit(secret[4]) && is_digit(secret[5]) &&
         secret[6] == '$';
}

bool bcrypt_matches(std::string_view hash, std::string_view password) {
  if (!is_bcrypt(hash) || hash.size() != bcrypt_chars) return false;
  if (password.find('\0') != std::string_view::npos) return false;
  // One algorithm for all four letters, as nats-server has it: libcrypt would repeat for x the
  // mistake of an old implementation, and its guard against that for a.
  std::string setting(hash.substr(0, setting_chars));
  setting[2] = 'b';
  const std::string terminated(password);
  const auto scratch = std::make_unique<crypt_data>();  // 32 KiB: too much for a small stack
  // Not crypt_r: the sanitizers' stand-in for that keeps the linker from taking libcrypt.
  const char* made =
      crypt_rn(terminated.c_str(), setting.c_str(), scratch.get(), sizeof(crypt_data));
  if (made == nullptr || std::string_view(made).size() != bcrypt_chars) return false;
  const std::string_view wanted = hash.substr(setting_chars);
  return equal_in_constant_time(std::string_view(made).substr(setting_chars), wanted);
}

}  // namespace spanwire::crypto
