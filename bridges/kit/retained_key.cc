#include "bridges/kit/retained_key.h"

#include "subject/subject.h"

namespace spanwire::kit {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

// What every client of key-value buckets lets pass.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '/' || c == '.';
}

}  // namespace

std::string retained_key(std::string_view subject) {
  std::string key;
  key.reserve(subject.size());
  for (const char c : subject) {
    if (is_plain(c)) {
      key += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    key += '=';
    key += digits[byte >> 4U];
    key += digits[byte & 15U];
  }
  return key;
}

std::optional<std::string> subject_of_retained_key(std::string_view key) {
  std::string subject;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != '=') {
      subject += key[i];
      continue;
    }
    if (key.size() - i < 3) return std::nullopt;
    const std::size_t high = digits.find(key[i + 1]);
    const std::size_t low = digits.find(key[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    subject += static_cast<char>(high * 16 + low);
    i += 2;
  }
  const bool valid = subject::is_literal(subject) && subject::is_safe(subject) &&
                     subject::is_well_formed(subject) && retained_key(subject) == key;
  if (!valid) return std::nullopt;
  return subject;
}

}  // namespace spanwire::kit
