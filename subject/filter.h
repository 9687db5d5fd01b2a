// Filters: what a subscription asks for. Each wire parses its own spelling into typed tokens, and
// the filter never becomes text again inside: `foo.#` is a literal to NATS, `*` a literal to MQTT.
#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace spanwire::subject {

enum class TokenKind : std::uint8_t {
  literal,       // exactly these bytes
  one,           // any one token: NATS `*`, MQTT `+`, AMQP `*`
  tail,          // one or more tokens, at the end: NATS `>`
  tail_or_here,  // none or more tokens, at the end: MQTT `#`
  any,           // none or more tokens, anywhere: AMQP `#`
};

// No filter has more tokens: the index recurses by token, and no honest subject comes close.
inline constexpr std::size_t max_filter_tokens = 2048;

struct FilterToken {
  TokenKind kind = TokenKind::literal;
  std::string_view text;  // of a literal; else empty
};

// A value type; about 100 bytes for the usual filter of up to four tokens.
class Filter {
 public:
  Filter() = default;

  // Tokens are added front to back. A tail must be the last; the caller's parser sees to it.
  void add(TokenKind kind, std::string_view literal = {});
  // For filters of the slash family: a wildcard as the first token does not match a subject that
  // begins with `$` [MQTT-4.7.2-1]. Without effect when the first token is a literal.
  void hide_dollar();

  std::size_t size() const { return tokens_.size(); }
  FilterToken operator[](std::size_t index) const;
  bool not_dollar() const { return not_dollar_; }
  // Without wildcards: it matches one subject, which literal_text() is.
  bool is_literal() const { return wildcards_ == 0; }
  bool has_any() const { return has_any_; }
  std::string_view literal_text() const { return text_; }
  // The whole filter in NATS spelling, for people: `#` for tail_or_here, `**` for any.
  std::string to_string() const;

  friend bool operator==(const Filter& a, const Filter& b) {
    return a.not_dollar_ == b.not_dollar_ && a.text_ == b.text_ && a.tokens_ == b.tokens_;
  }

 private:
  struct Piece {
    TokenKind kind;
    std::uint32_t offset;
    std::uint32_t length;
    friend bool operator==(const Piece&, const Piece&) = default;
  };
  std::string text_;  // the tokens with dots between, wildcards as one placeholder byte each
  absl::InlinedVector<Piece, 4> tokens_;
  std::uint32_t wildcards_ = 0;
  bool not_dollar_ = false;
  bool has_any_ = false;
};

struct NatsSpelling {
  bool plus_is_one = false;  // a token that is exactly `+` is a wildcard as `*` is
};

// NATS: tokens `*` and `>` (last only). An empty token, a `>` that is
// not the last and too many tokens are refused, with the reason.
tl::expected<Filter, std::string_view> parse_nats_filter(std::string_view text,
                                                         NatsSpelling spelling = {});

// A filter that matches exactly this subject, whatever wildcards its bytes may spell elsewhere.
Filter literal_filter(std::string_view subject);

// True if a message to `subject` reaches the filter. Linear in the tokens, except for filters with
// `any`, which are quadratic. The index (index.h) answers this for many filters at once.
bool matches(const Filter& filter, std::string_view subject);

// The filter of what both match; nothing if that is nothing. `plain` has literals, `one` and `tail`
// only, and hides no `$`; what `wanted` hides is not looked at. If `wanted` has an `any`, it is
// `plain`, which may be more.
std::optional<Filter> overlap(const Filter& plain, const Filter& wanted);

// True if every subject that `narrow` matches, `wide` matches too. For permissions: filters with
// `any` are only covered by an equal filter or by one that is a tail from its first token.
bool covers(const Filter& wide, const Filter& narrow);

}  // namespace spanwire::subject
