#include "http/uri.h"

#include <algorithm>

#include "http/scan.h"

namespace spanwire::http {

namespace {

// Whether two hexadecimal digits stand behind the `%` at `at`.
bool is_escape(std::string_view text, std::size_t at) {
  return text.size() - at > 2 && scan::hex_value(text[at + 1]) >= 0 &&
         scan::hex_value(text[at + 2]) >= 0;
}

// The byte that the escape at `at` stands for.
char escaped_byte(std::string_view text, std::size_t at) {
  return static_cast<char>(scan::hex_value(text[at + 1]) * 16 + scan::hex_value(text[at + 2]));
}

bool is_host_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && is_escape(text, i))
      i += 2;
    else if (!scan::in(scan::host_bytes, text[i]))
      return false;
  }
  return !text.empty();
}

// What stands between the brackets of [::1] or [v7.future].
bool is_ip_literal(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == ':' || scan::in(scan::host_bytes, c);
  });
}

}  // namespace

std::optional<std::string_view> percent_decode(std::string_view raw, std::string& storage) {
  std::size_t escape = raw.find('%');
  if (escape == std::string_view::npos) return raw;
  storage.clear();
  storage.reserve(raw.size());
  while (escape != std::string_view::npos) {
    if (!is_escape(raw, escape)) return std::nullopt;
    storage.append(raw.substr(0, escape));
    storage.push_back(escaped_byte(raw, escape));
    raw.remove_prefix(escape + 3);
    escape = raw.find('%');
  }
  storage.append(raw);
  return storage;
}

bool is_authority(std::string_view text) {
  std::size_t host_end = 0;
  if (!text.empty() && text.front() == '[') {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    if (!is_ip_literal(text.substr(1, bracket - 1))) return false;
    host_end = bracket + 1;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if (!is_host_name(text.substr(0, host_end))) return false;
  }
  if (host_end == text.size()) return true;
  const std::string_view port = text.substr(host_end + 1);
  return text[host_end] == ':' && std::all_of(port.begin(), port.end(), scan::is_digit);
}

base::Status Query::parse(std::string_view raw) {
  size_ = 0;
  text_.clear();
  text_.reserve(raw.size());  // decoding never lengthens
  while (!raw.empty()) {
    const std::size_t mark = std::min(raw.find('&'), raw.size());
    if (mark > 0) {
      base::Status added = add(raw.substr(0, mark));
      if (!added) {
        size_ = 0;
        return added;
      }
    }
    raw.remove_prefix(std::min(mark + 1, raw.size()));
  }
  return {};
}

base::Status Query::add(std::string_view pair) {
  if (size_ == max_pairs) return base::fail("the query has more than 32 pairs");
  const std::size_t equals = std::min(pair.find('='), pair.size());
  const std::optional<std::string_view> key = decode(pair.substr(0, equals));
  const std::optional<std::string_view> value =
      decode(pair.substr(std::min(equals + 1, pair.size())));
  if (!key || !value) return base::fail("the query has a % without two hexadecimal digits");
  pairs_[size_++] = {.key = *key, .value = *value};
  return {};
}

std::optional<std::string_view> Query::decode(std::string_view raw) {
  const std::size_t begin = text_.size();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%') {
      if (!is_escape(raw, i)) return std::nullopt;
      text_.push_back(escaped_byte(raw, i));
      i += 2;
    } else {
      text_.push_back(raw[i] == '+' ? ' ' : raw[i]);
    }
  }
  return std::string_view(text_).substr(begin);
}

std::optional<std::string_view> Query::find(std::string_view key) const {
  const Pair* found = std::find_if(begin(), end(), [&](const Pair& p) { return p.key == key; });
  if (found == end()) return std::nullopt;
  return found->value;
}

}  // namespace spanwire::http
