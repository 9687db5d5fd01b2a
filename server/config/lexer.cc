#include "config/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "config/spelling.h"

namespace spanwire::config {

Lexer::Lexer(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
}

char Lexer::peek(std::size_t ahead) const {
  return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
}

Position Lexer::here() const {
  return {.line = line_, .column = static_cast<std::uint32_t>(pos_ - line_start_ + 1)};
}

void Lexer::advance(std::size_t count) {
  BASE_ASSERT(pos_ + count <= text_.size());
  for (; count > 0; --count) {
    if (text_[pos_++] != '\n') continue;
    ++line_;
    line_start_ = pos_;
  }
}

void Lexer::skip_blanks() {
  while (is_blank(peek())) advance();
}

void Lexer::skip_spaces() {
  while (const std::size_t size = space_size(text_.substr(pos_))) advance(size);
}

// Stops in front of the line's end.
bool Lexer::skip_comment() {
  if (peek() != '#' && !(peek() == '/' && peek(1) == '/')) return false;
  while (!at_end() && !is_line_end(peek())) advance();
  return true;
}

void Lexer::skip_spaces_and_comments() {
  do {
    skip_spaces();
  } while (skip_comment());
}

Token Lexer::next() {
  while (!last_) {
    std::optional<Token> token;
    switch (expect_) {
      case Expect::item:
        token = item();
        break;
      case Expect::value:
        token = key_value();
        break;
      case Expect::separator:
        token = separator();
        break;
    }
    if (!token) continue;
    if (token->kind == TokenKind::end || token->kind == TokenKind::error) last_ = token;
    return *std::move(token);
  }
  return *last_;
}

std::optional<Token> Lexer::item() {
  skip_spaces_and_comments();
  if (at_end()) return end_of_text();
  if (in() == In::list) return list_item();
  switch (const char next = peek()) {
    case '{':
      if (in() == In::map) return fail(here(), "'{' needs a key before it; write name { ... }");
      advance();
      if (open_.size() > max_depth_) return fail(here(), too_deep(max_depth_));
      opened_at_.push_back(here());
      open_.push_back(In::braces);
      return std::nullopt;
    case '}':
      return closing_brace();
    case ']':
      return fail(here(), "']' closes no list; remove it");
    case '=':
    case ':':
      return fail(here(), fmt::format("'{}' needs a key before it", next));
    case ',':
    case ';':
      return fail(here(), fmt::format("'{}' ends nothing here; remove it", next));
    case '/':
      return fail(here(), "a key cannot begin with '/'; put it in quotes, or write '//'");
    default:
      return key();
  }
}

std::optional<Token> Lexer::list_item() {
  switch (peek()) {
    case ']':
      return close(TokenKind::list_end);
    case ',':
      return fail(here(), "',' without a value before it; remove it");
    case '}':
      return fail(here(), "'}' inside of a list; close the list with ']' first");
    case '/':
      return fail(here(), "a value in a list cannot begin with '/'; put it in quotes");
    default:
      return value();
  }
}

// Of a map, of the braces around a whole file, or one too many as the last thing in the text.
std::optional<Token> Lexer::closing_brace() {
  if (in() == In::map) return close(TokenKind::map_end);
  const Position at = here();
  advance();
  if (in() == In::braces) {
    open_.pop_back();
    opened_at_.pop_back();
    expect_ = in() == In::file ? Expect::item : Expect::separator;
    return std::nullopt;
  }
  skip_spaces_and_comments();
  if (!at_end()) return fail(at, "'}' closes nothing; remove it or add the missing '{'");
  stray_brace_ = at;
  return Token{.kind = TokenKind::end, .at = here()};
}

Token Lexer::end_of_text() {
  if (in() == In::file) return {.kind = TokenKind::end, .at = here()};
  const char bracket = in() == In::list ? ']' : '}';
  const Position opened = opened_at_.back();
  return fail(here(), fmt::format("the text ends before '{}'; it closes what line {} opened",
                                  bracket, opened.line));
}

Token Lexer::key() {
  if (peek() == '"' || peek() == '\'') return quoted_key();
  const Position at = here();
  std::size_t size = 0;
  while (pos_ + size < text_.size() && !is_key_separator(peek(size)) &&
         space_size(text_.substr(pos_ + size)) == 0) {
    if (peek(size) == '{') return fail(at, "a key ends before '{'; put a blank between them");
    ++size;
  }
  key_ = text_.substr(pos_, size);
  advance(size);
  if (!at_end() && !is_key_separator(peek()) && lower(key_) == "include") return include(at);
  expect_ = Expect::value;
  return {.kind = TokenKind::key, .text = key_, .at = at};
}

Token Lexer::quoted_key() {
  const Position at = here();
  const char quote = peek();
  advance();
  std::size_t size = 0;
  while (pos_ + size < text_.size() && peek(size) != quote && !is_line_end(peek(size))) ++size;
  if (peek(size) != quote) {
    return fail(at, fmt::format("the key's closing {} is missing on this line", quote));
  }
  key_ = text_.substr(pos_, size);
  advance(size + 1);
  expect_ = Expect::value;
  return {.kind = TokenKind::key, .text = key_, .at = at};
}

Token Lexer::include(Position at) {
  constexpr std::string_view advice = "include needs a file name, best in quotes";
  skip_blanks();
  const char first = peek();
  std::size_t size = 0;
  if (first == '"' || first == '\'') {
    advance();
    while (pos_ + size < text_.size() && peek(size) != first && !is_line_end(peek(size))) ++size;
    if (peek(size) != first) return fail(at, fmt::format("the closing {} is missing", first));
  } else {
    if (is_digit(first) || std::string_view("[{(-\\").find(first) != std::string_view::npos) {
      return fail(at, fmt::format("{}; '{}' cannot begin one without them", advice, first));
    }
    while (pos_ + size < text_.size() && !is_line_end(peek(size)) && !is_blank(peek(size)) &&
           std::string_view(";}'").find(peek(size)) == std::string_view::npos) {
      ++size;
    }
  }
  if (size == 0) return fail(at, std::string(advice));
  Token token = take(TokenKind::include, size);
  token.at = at;
  if (first == '"' || first == '\'') advance();
  expect_ = Expect::separator;
  return token;
}

bool Lexer::separator_follows() const {
  if (is_line_end(peek()) || peek() == ',') return true;
  return peek() == ';' && in() != In::list;
}

std::optional<Token> Lexer::separator() {
  do {
    skip_blanks();
  } while (skip_comment());
  if (at_end() || peek() == '}' || (peek() == ']' && in() == In::list)) {
    expect_ = Expect::item;
    return std::nullopt;
  }
  if (!separator_follows()) return unexpected_after_value();
  advance();
  expect_ = Expect::item;
  return std::nullopt;
}

Token Lexer::unexpected_after_value() {
  const std::string what = quote_character(text_.substr(pos_));
  if (in() == In::list) {
    return fail(here(), fmt::format("{} after a value of a list; write ',' between values, or put "
                                    "a value with blanks in quotes",
                                    what));
  }
  return fail(here(), fmt::format("{} after the value of '{}'; begin a new line or write ',' "
                                  "between settings, or put a value with blanks in quotes",
                                  what, shown(key_)));
}

Token Lexer::open(TokenKind kind, In what) {
  const Position at = here();
  if (open_.size() > max_depth_) return fail(at, too_deep(max_depth_));
  advance();
  open_.push_back(what);
  opened_at_.push_back(at);
  expect_ = Expect::item;
  return {.kind = kind, .at = at};
}

Token Lexer::close(TokenKind kind) {
  const Position at = here();
  advance();
  open_.pop_back();
  opened_at_.pop_back();
  expect_ = Expect::separator;
  return {.kind = kind, .at = at};
}

Token Lexer::take(TokenKind kind, std::size_t size) {
  Token token{.kind = kind, .text = std::string(text_.substr(pos_, size)), .at = here()};
  advance(size);
  return token;
}

Token Lexer::fail(Position at, std::string text) {
  return {.kind = TokenKind::error, .text = std::move(text), .at = at};
}

}  // namespace spanwire::config
