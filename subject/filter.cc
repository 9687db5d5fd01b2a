#include "subject/filter.h"

#include "subject/subject.h"

namespace spanwire::subject {
namespace {

constexpr char placeholder =
    '\x01';  // stands in text_ for a wildcard; kinds tell it from a literal

std::string_view spelled(const FilterToken& token) {
  switch (token.kind) {
    case TokenKind::literal:
      return token.text;
    case TokenKind::one:
      return "*";
    case TokenKind::tail:
      return ">";
    case TokenKind::tail_or_here:
      return "#";
    case TokenKind::any:
      return "**";
  }
  return {};
}

bool is_tail(TokenKind kind) {
  return kind == TokenKind::tail || kind == TokenKind::tail_or_here;
}

// Matches filter tokens from `at` on against the tokens left of the subject; `left` says whether
// any is left (an empty view may be one empty token).
bool matches_from(const Filter& filter, std::size_t at, std::string_view rest, bool left) {
  for (; at < filter.size(); ++at) {
    const FilterToken token = filter[at];
    if (token.kind == TokenKind::tail) return left;
    if (token.kind == TokenKind::tail_or_here) return true;
    if (token.kind == TokenKind::any) {
      while (true) {
        if (matches_from(filter, at + 1, rest, left)) return true;
        if (!left) return false;
        const std::size_t dot = rest.find(separator);
        left = dot != std::string_view::npos;
        rest = left ? rest.substr(dot + 1) : std::string_view();
      }
    }
    if (!left) return false;
    const std::size_t dot = rest.find(separator);
    if (token.kind == TokenKind::literal && rest.substr(0, dot) != token.text) return false;
    left = dot != std::string_view::npos;
    rest = left ? rest.substr(dot + 1) : std::string_view();
  }
  return !left;
}

// One token of a narrow filter under one, not a tail, of a wide filter.
bool token_covers(const FilterToken& wide, const FilterToken& narrow) {
  if (wide.kind == TokenKind::one) {
    return narrow.kind == TokenKind::one || narrow.kind == TokenKind::literal;
  }
  return narrow.kind == TokenKind::literal && wide.text == narrow.text;
}

bool hidden_dollar_covers(const Filter& wide, const Filter& narrow) {
  if (!wide.not_dollar() || narrow.not_dollar()) return true;
  return narrow[0].kind == TokenKind::literal && !narrow[0].text.starts_with('$');
}

}  // namespace

void Filter::add(TokenKind kind, std::string_view literal) {
  if (!tokens_.empty()) text_ += separator;
  const auto offset = static_cast<std::uint32_t>(text_.size());
  if (kind == TokenKind::literal) {
    text_ += literal;
  } else {
    text_ += placeholder;
    ++wildcards_;
    has_any_ = has_any_ || kind == TokenKind::any;
  }
  tokens_.push_back({kind, offset, static_cast<std::uint32_t>(text_.size()) - offset});
}

void Filter::hide_dollar() {
  not_dollar_ = !tokens_.empty() && tokens_.front().kind != TokenKind::literal;
}

FilterToken Filter::operator[](std::size_t index) const {
  const Piece& piece = tokens_[index];
  if (piece.kind != TokenKind::literal) return {piece.kind, {}};
  return {piece.kind, std::string_view(text_).substr(piece.offset, piece.length)};
}

std::string Filter::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < size(); ++i) {
    if (i != 0) text += separator;
    text += spelled((*this)[i]);
  }
  return text;
}

tl::expected<Filter, std::string_view> parse_nats_filter(std::string_view text,
                                                         NatsSpelling spelling) {
  Filter filter;
  Tokens tokens(text);
  bool ended = false;
  for (std::string_view token; tokens.next(token);) {
    if (ended) return tl::unexpected<std::string_view>("`>` stands before the end");
    if (token.empty()) return tl::unexpected<std::string_view>("empty token");
    if (filter.size() == max_filter_tokens)
      return tl::unexpected<std::string_view>("too many tokens");
    if (token == ">") {
      filter.add(TokenKind::tail);
      ended = true;
    } else if (token == "*" || (spelling.plus_is_one && token == "+")) {
      filter.add(TokenKind::one);
    } else {
      filter.add(TokenKind::literal, token);
    }
  }
  return filter;
}

Filter literal_filter(std::string_view subject) {
  Filter filter;
  Tokens tokens(subject);
  for (std::string_view token; tokens.next(token);) filter.add(TokenKind::literal, token);
  return filter;
}

bool matches(const Filter& filter, std::string_view subject) {
  if (filter.is_literal()) return filter.literal_text() == subject;
  if (filter.not_dollar() && subject.starts_with('$')) return false;
  return matches_from(filter, 0, subject, true);
}

std::optional<Filter> overlap(const Filter& plain, const Filter& wanted) {
  if (wanted.has_any()) return plain;
  Filter common;
  const auto add_rest = [&common](const Filter& from, std::size_t at) {
    for (; at < from.size(); ++at) common.add(from[at].kind, from[at].text);
    return common;
  };
  for (std::size_t i = 0; i < plain.size() || i < wanted.size(); ++i) {
    const bool wanted_ends = i >= wanted.size();
    if (!wanted_ends && wanted[i].kind == TokenKind::tail_or_here) return add_rest(plain, i);
    if (wanted_ends || i >= plain.size()) return std::nullopt;
    if (wanted[i].kind == TokenKind::tail) return add_rest(plain, i);
    if (plain[i].kind == TokenKind::tail) return add_rest(wanted, i);
    if (plain[i].kind == TokenKind::one) {
      common.add(wanted[i].kind, wanted[i].text);
    } else if (wanted[i].kind == TokenKind::one || wanted[i].text == plain[i].text) {
      common.add(TokenKind::literal, plain[i].text);
    } else {
      return std::nullopt;
    }
  }
  return common;
}

bool covers(const Filter& wide, const Filter& narrow) {
  if (wide == narrow) return true;
  if (wide.size() == 0 || narrow.size() == 0 || !hidden_dollar_covers(wide, narrow)) return false;
  if (narrow.has_any()) return wide.size() == 1 && wide[0].kind == TokenKind::tail_or_here;
  if (wide.has_any()) return narrow.is_literal() && matches(wide, narrow.literal_text());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const FilterToken token = wide[i];
    if (token.kind == TokenKind::tail_or_here) return true;
    if (token.kind == TokenKind::tail) {
      return i < narrow.size() && narrow[i].kind != TokenKind::tail_or_here;
    }
    if (i == narrow.size() || is_tail(narrow[i].kind)) return false;
    if (!token_covers(token, narrow[i])) return false;
  }
  return wide.size() == narrow.size();
}

}  // namespace spanwire::subject
