#include "jetstream/go_json.h"

#include <fmt/format.h>

#include <vector>

namespace spanwire::jetstream {
namespace {

constexpr std::size_t max_depth = 10'000;  // Go's

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// A byte in single quotes, as Go prints it.
std::string quoted_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\'') return "'\\''";
  if (c == '\\') return "'\\\\'";
  if (c == '\n') return "'\\n'";
  if (c == '\r') return "'\\r'";
  if (c == '\t') return "'\\t'";
  if (byte < 0x20 || byte == 0x7f) return fmt::format("'\\x{:02x}'", byte);
  if (byte < 0x80) return fmt::format("'{}'", c);
  if (byte < 0xa0 || byte == 0xad) return fmt::format("'\\u{:04x}'", byte);
  return fmt::format("'{}{}'", static_cast<char>(0xc0 | (byte >> 6)),
                     static_cast<char>(0x80 | (byte & 0x3f)));
}

std::string unexpected(char c, std::string_view context) {
  return fmt::format("invalid character {} {}", quoted_byte(c), context);
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// One value, from its first byte to behind its last.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  bool scan();
  std::size_t at() const { return at_; }
  // What is wrong at at(); it is what follows that is missing if that is the end.
  const std::string& error() const { return error_; }

 private:
  enum class Step : std::uint8_t { value, value_or_close, key, key_or_close, after };

  bool at_end() const { return at_ == text_.size(); }
  char here() const { return text_[at_]; }
  bool here_is(char c) const { return !at_end() && here() == c; }
  bool refuse(std::string_view context);
  bool take(Step& step);
  bool begin_value(Step& step);
  bool key(Step& step);
  bool after_value(Step& step);
  bool open(Step& step, Step inside);
  bool close(Step& step);
  bool scalar();
  bool string();
  bool escape();
  bool number();
  bool digits(std::string_view context);
  bool literal(std::string_view word);

  std::string_view text_;
  std::size_t at_;
  std::string error_;
  std::vector<char> open_;  // { or [, the innermost last
};

bool Scanner::refuse(std::string_view context) {
  if (!at_end()) error_ = unexpected(here(), context);
  return false;
}

bool Scanner::scan() {
  Step step = Step::value;
  do {
    at_ = skip_space(text_, at_);
    if (!take(step)) return false;
  } while (step != Step::after || !open_.empty());
  return true;
}

bool Scanner::take(Step& step) {
  switch (step) {
    case Step::value_or_close:
      return here_is(']') ? close(step) : begin_value(step);
    case Step::value:
      return begin_value(step);
    case Step::key_or_close:
      return here_is('}') ? close(step) : key(step);
    case Step::key:
      return key(step);
    case Step::after:
      return after_value(step);
  }
  return false;
}

bool Scanner::begin_value(Step& step) {
  if (here_is('{')) return open(step, Step::key_or_close);
  if (here_is('[')) return open(step, Step::value_or_close);
  step = Step::after;
  return scalar();
}

bool Scanner::key(Step& step) {
  if (!here_is('"')) return refuse("looking for beginning of object key string");
  if (!string()) return false;
  at_ = skip_space(text_, at_);
  if (!here_is(':')) return refuse("after object key");
  ++at_;
  step = Step::value;
  return true;
}

bool Scanner::after_value(Step& step) {
  const bool object = open_.back() == '{';
  if (here_is(',')) {
    ++at_;
    step = object ? Step::key : Step::value;
    return true;
  }
  if (here_is(object ? '}' : ']')) return close(step);
  return refuse(object ? "after object key:value pair" : "after array element");
}

bool Scanner::open(Step& step, Step inside) {
  if (open_.size() == max_depth) {
    error_ = "exceeded max depth";
    return false;
  }
  open_.push_back(here());
  ++at_;
  step = inside;
  return true;
}

bool Scanner::close(Step& step) {
  open_.pop_back();
  ++at_;
  step = Step::after;
  return true;
}

bool Scanner::scalar() {
  if (at_end()) return refuse({});
  switch (here()) {
    case '"':
      return string();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      if (here() == '-' || is_digit(here())) return number();
      return refuse("looking for beginning of value");
  }
}

bool Scanner::string() {
  for (++at_; !at_end(); ++at_) {
    if (here() == '"') {
      ++at_;
      return true;
    }
    if (static_cast<unsigned char>(here()) < 0x20) return refuse("in string literal");
    if (here() == '\\' && !escape()) return false;
  }
  return refuse({});
}

// Leaves the last byte of the escape for string() to pass.
bool Scanner::escape() {
  ++at_;
  if (at_end()) return refuse({});
  if (here() != 'u') {
    constexpr std::string_view known = "bfnrt\\/\"";
    return known.find(here()) != std::string_view::npos || refuse("in string escape code");
  }
  for (int i = 0; i < 4; ++i) {
    ++at_;
    if (at_end() || !is_hex(here())) return refuse("in \\u hexadecimal character escape");
  }
  return true;
}

bool Scanner::number() {
  if (here_is('-')) ++at_;
  if (here_is('0')) {
    ++at_;
  } else if (!digits("in numeric literal")) {
    return false;
  }
  if (here_is('.')) {
    ++at_;
    if (!digits("after decimal point in numeric literal")) return false;
  }
  if (here_is('e') || here_is('E')) {
    ++at_;
    if (here_is('+') || here_is('-')) ++at_;
    return digits("in exponent of numeric literal");
  }
  return true;
}

bool Scanner::digits(std::string_view context) {
  if (at_end() || !is_digit(here())) return refuse(context);
  while (!at_end() && is_digit(here())) ++at_;
  return true;
}

bool Scanner::literal(std::string_view word) {
  for (const char expected : word) {
    if (!here_is(expected)) {
      return refuse(fmt::format("in literal {} (expecting '{}')", word, expected));
    }
    ++at_;
  }
  return true;
}

}  // namespace

GoJsonValues::Next GoJsonValues::next(std::string_view& value, std::string& error) {
  at_ = skip_space(text_, at_);
  if (at_ == text_.size()) return Next::end;
  Scanner scanner(text_, at_);
  if (!scanner.scan()) {
    error = scanner.error().empty()
                ? "unexpected EOF"
                : fmt::format("{} at offset {}", scanner.error(), scanner.at() + 1);
    at_ = text_.size();
    return Next::error;
  }
  value = text_.substr(at_, scanner.at() - at_);
  at_ = scanner.at();
  return Next::value;
}

std::optional<std::string> check_json(std::string_view text) {
  Scanner scanner(text, skip_space(text, 0));
  if (!scanner.scan()) {
    return scanner.error().empty() ? "unexpected end of JSON input" : scanner.error();
  }
  const std::size_t rest = skip_space(text, scanner.at());
  if (rest == text.size()) return std::nullopt;
  return unexpected(text[rest], "after top-level value");
}

}  // namespace spanwire::jetstream
