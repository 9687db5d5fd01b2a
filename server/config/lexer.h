// Cuts the text of a NATS configuration into tokens. No character is reserved everywhere: what ends
// a value depends on how it began and on the bracket it stands in, so the lexer keeps the stack of
// open brackets itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace spanwire::config {

enum class TokenKind : std::uint8_t {
  key,
  include,  // text: the file's name
  text,
  boolean,   // text: as spelled
  integer,   // text: as spelled, with its suffix
  real,      // text: as spelled
  datetime,  // text: as spelled
  variable,  // text: the name without its $
  list_start,
  list_end,
  map_start,
  map_end,
  end,
  error,  // text: what is wrong and what to do
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  Position at;  // its file is the parser's business
};

class Lexer {
 public:
  // The text must outlive the lexer. At most `max_depth` brackets may be open at once.
  Lexer(std::string_view text, std::size_t max_depth);

  // After an error or the end, the same token again.
  Token next();
  // The place of a closing brace too many at the end of the text; the compatible server tolerates
  // one there.
  const std::optional<Position>& stray_brace() const { return stray_brace_; }

 private:
  // file: the top level; braces: the top level inside of { }, as JSON has it.
  enum class In : std::uint8_t { file, braces, map, list };
  enum class Expect : std::uint8_t { item, value, separator };

  bool at_end() const { return pos_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const;
  In in() const { return open_.back(); }
  Position here() const;
  void advance(std::size_t count = 1);
  void skip_blanks();
  bool skip_comment();
  void skip_spaces();
  void skip_spaces_and_comments();

  // What stands where a key or a list's element may begin; nothing when the state moved on.
  std::optional<Token> item();
  std::optional<Token> list_item();
  std::optional<Token> closing_brace();
  Token key();
  Token quoted_key();
  Token include(Position at);
  std::optional<Token> separator();
  bool separator_follows() const;
  Token unexpected_after_value();
  Token end_of_text();

  Token key_value();
  Token value();
  Token open(TokenKind kind, In what);
  Token close(TokenKind kind);
  Token single_quoted();
  Token double_quoted();
  Token block_string();
  Token unquoted(std::size_t literal = 0);
  bool append_escape(std::string& text);
  Token number_or_text();
  Token suffixed(std::size_t digits);
  Token fraction(std::size_t digits);
  Token date();
  bool ends_unquoted(std::size_t ahead) const;
  bool ends_number(std::size_t ahead) const;
  std::size_t digits_from(std::size_t ahead) const;
  Token take(TokenKind kind, std::size_t size);
  Token fail(Position at, std::string text);

  std::string_view text_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t max_depth_;
  std::vector<In> open_{In::file};
  std::vector<Position> opened_at_{Position{}};
  Expect expect_ = Expect::item;
  std::string key_;  // the last one, for errors
  std::optional<Token> last_;
  std::optional<Position> stray_brace_;
};

}  // namespace spanwire::config
