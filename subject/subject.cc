#include "subject/subject.h"

#include <algorithm>

namespace spanwire::subject {

bool is_safe(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
}

bool is_well_formed(std::string_view text) {
  if (text.empty() || text.front() == separator || text.back() == separator) return false;
  return text.find("..") == std::string_view::npos;
}

bool is_literal(std::string_view text) {
  if (!is_well_formed(text)) return false;
  Tokens tokens(text);
  for (std::string_view token; tokens.next(token);) {
    if (token == "*" || token == ">") return false;
  }
  return true;
}

std::size_t token_count(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), separator)) + 1;
}

std::string_view first_token(std::string_view text) {
  return text.substr(0, text.find(separator));
}

std::string_view first_two_tokens(std::string_view text) {
  const std::size_t dot = text.find(separator);
  if (dot == std::string_view::npos) return {};
  return text.substr(0, text.find(separator, dot + 1));
}

}  // namespace spanwire::subject
