// The lexer's half that reads values: what a value is shows in its first characters, and only the
// rest decides between a number, an address and plain text.
#include <fmt/format.h>

#include "config/lexer.h"
#include "config/spelling.h"

namespace spanwire::config {

// The value of the key that was read last. Line ends may precede it, except between a separator and
// the value at the top level.
Token Lexer::key_value() {
  skip_spaces();
  const bool separated = is_key_separator(peek());
  if (separated) {
    advance();
    if (in() == In::map) {
      skip_spaces();
    } else {
      skip_blanks();
    }
  }
  const bool missing = at_end() ? !separated : is_line_end(peek()) || peek() == '}';
  if (missing || (in() == In::map && peek() == ',')) {
    return fail(here(), fmt::format("the value of '{}' is missing; write it on the line of its key",
                                    shown(key_)));
  }
  return value();
}

Token Lexer::value() {
  expect_ = Expect::separator;
  switch (const char first = peek()) {
    case '[':
      return open(TokenKind::list_start, In::list);
    case '{':
      return open(TokenKind::map_start, In::map);
    case '\'':
      return single_quoted();
    case '"':
      return double_quoted();
    case '(':
      return block_string();
    case '.':
      return fail(here(), "a number begins with a digit; write 0 before the '.'");
    case '-':
      if (is_digit(peek(1))) return number_or_text();
      return fail(here(), "a digit must follow '-'; put other text in quotes");
    default:
      return is_digit(first) ? number_or_text() : unquoted();
  }
}

Token Lexer::single_quoted() {
  const Position at = here();
  const std::size_t end = text_.find('\'', pos_ + 1);
  if (end == std::string_view::npos) return fail(at, "the string's closing ' is missing");
  advance();
  Token token = take(TokenKind::text, end - pos_);
  token.at = at;
  advance();
  return token;
}

Token Lexer::double_quoted() {
  Token token{.kind = TokenKind::text, .at = here()};
  advance();
  while (!at_end()) {
    if (peek() == '"') {
      advance();
      return token;
    }
    if (peek() != '\\') {
      token.text += peek();
      advance();
    } else if (!append_escape(token.text)) {
      return fail(here(), std::string(escape_advice));
    }
  }
  return fail(token.at, "the string's closing \" is missing");
}

// At a backslash. Leaves the place where it stands if no escape follows.
bool Lexer::append_escape(std::string& text) {
  const char code = peek(1);
  if (code == 'x') {
    const int high = hex_digit(peek(2));
    const int low = hex_digit(peek(3));
    if (high < 0 || low < 0) return false;
    text += static_cast<char>(high * 16 + low);
    advance(4);
    return true;
  }
  switch (code) {
    case 't':
      text += '\t';
      break;
    case 'n':
      text += '\n';
      break;
    case 'r':
      text += '\r';
      break;
    case '"':
    case '\\':
      text += code;
      break;
    default:
      return false;
  }
  advance(2);
  return true;
}

// From '(' to a line that holds ')' alone; the line ends at both sides belong to the string.
Token Lexer::block_string() {
  const Position at = here();
  for (std::size_t end = text_.find("\n)", pos_); end != std::string_view::npos;
       end = text_.find("\n)", end + 1)) {
    const std::string_view after = text_.substr(end + 2);
    if (!after.empty() && !after.starts_with('\n') && !after.starts_with("\r\n")) continue;
    advance();
    Token token = take(TokenKind::text, end + 1 - pos_);
    token.at = at;
    advance();
    return token;
  }
  return fail(at, "the block string's end is missing: a line with only ')'");
}

bool Lexer::ends_unquoted(std::size_t ahead) const {
  if (pos_ + ahead >= text_.size()) return true;
  const char c = peek(ahead);
  return is_blank(c) || is_line_end(c) || c == ',' || c == ';' || c == ']' || c == '}';
}

// Ends like the text around it, so that 5] is a number in a list and text anywhere else.
bool Lexer::ends_number(std::size_t ahead) const {
  return ends_unquoted(ahead) && (peek(ahead) != ']' || in() == In::list);
}

// Text without quotes, a boolean or a variable. Escapes count as in double quotes, and make it
// text. The first `literal` bytes mean themselves.
Token Lexer::unquoted(std::size_t literal) {
  Token token = take(TokenKind::text, literal);
  bool escaped = false;
  while (!ends_unquoted(0)) {
    if (peek() == '\'') {
      return fail(here(), "' inside of a value without quotes; put the value in double quotes");
    }
    if (peek() != '\\') {
      token.text += peek();
      advance();
      continue;
    }
    escaped = true;
    if (!append_escape(token.text)) return fail(here(), std::string(escape_advice));
  }
  if (escaped) return token;
  if (read_boolean(token.text)) {
    token.kind = TokenKind::boolean;
  } else if (token.text.starts_with('$')) {
    token.kind = TokenKind::variable;
    token.text.erase(0, 1);
  }
  return token;
}

std::size_t Lexer::digits_from(std::size_t ahead) const {
  while (is_digit(peek(ahead))) ++ahead;
  return ahead;
}

Token Lexer::number_or_text() {
  const bool negative = peek() == '-';
  const std::size_t digits = digits_from(negative ? 1 : 0);
  const char next = peek(digits);
  if (next == '.') return fraction(digits);
  if (is_number_suffix(next)) return suffixed(digits);
  if (next == '-' && !negative) return date();
  if (ends_number(digits) || negative) return take(TokenKind::integer, digits);
  return unquoted(digits + 1);  // what shows that this is no number is text, even a quote
}

// 1k, 64MB, 2gib. What goes on after the suffix is text: 10ms; so is 5m right before a ']', as the
// compatible server has it, which serves lists of durations.
Token Lexer::suffixed(std::size_t digits) {
  std::size_t size = digits + 1;
  while (peek(size) == 'b' || peek(size) == 'B' || peek(size) == 'i' || peek(size) == 'I') ++size;
  if ((ends_unquoted(size) && peek(size) != ']') || is_digit(peek(size)))
    return take(TokenKind::integer, size);
  return unquoted();
}

// A number with a fraction; a second dot makes it an address, perhaps with a port.
Token Lexer::fraction(std::size_t digits) {
  std::size_t size = digits + 1;
  if (!is_digit(peek(size))) {
    return fail(here(), "a digit must follow the '.' of a number; put other text in quotes");
  }
  size = digits_from(size);
  if (peek(size) != '.') return take(TokenKind::real, size);
  while (is_digit(peek(size)) || peek(size) == '.' || peek(size) == ':' || peek(size) == '-')
    ++size;
  return take(TokenKind::text, size);
}

Token Lexer::date() {
  const std::string_view rest = text_.substr(pos_);
  if (!has_date_form(rest)) {
    return fail(here(),
                "digits and '-' begin a date like 2026-01-31T12:00:00Z; put other text in "
                "quotes");
  }
  return take(TokenKind::datetime, date_size);
}

}  // namespace spanwire::config
