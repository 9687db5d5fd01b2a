#include "subject/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "subject/subject.h"

namespace spanwire::subject {
namespace {

using Parts = absl::InlinedVector<std::string_view, 4>;

tl::unexpected<std::string> refuse(std::string_view what, std::string_view token,
                                   std::string_view advice) {
  return tl::unexpected(
      fmt::format("invalid mapping destination: {} in {}: {}", what, token, advice));
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Where `known` has a capital, and at its front, both cases are good.
bool is_named(std::string_view name, std::string_view known) {
  if (name.size() != known.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == known[i]) continue;
    const bool either = i == 0 || (known[i] >= 'A' && known[i] <= 'Z');
    if (!either || (name[i] ^ known[i]) != 0x20) return false;
  }
  return true;
}

// A number as Go's strconv reads it: a sign is good, blanks are not.
std::optional<std::int64_t> read_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> read_argument(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto number = read_number(text);
  using Limits = std::numeric_limits<std::int32_t>;
  if (!number || *number < Limits::min() || *number > Limits::max()) return std::nullopt;
  return number;
}

// Between commas; blanks behind a comma belong to no argument.
Parts split_arguments(std::string_view text) {
  Parts parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  }
}

std::string_view token_at(std::string_view subject, std::size_t index) {
  std::string_view token;
  Tokens tokens(subject);
  for (std::size_t i = 0; i <= index; ++i) {
    if (!tokens.next(token)) return {};
  }
  return token;
}

std::string_view tokens_from(std::string_view subject, std::size_t index) {
  for (std::size_t i = 0; i < index; ++i) {
    const std::size_t dot = subject.find(separator);
    if (dot == std::string_view::npos) return {};
    subject.remove_prefix(dot + 1);
  }
  return subject;
}

// FNV-1a of 32 bits: part of the agreement with other servers and clients about partitions.
class PartitionHash {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      value_ = (value_ ^ static_cast<std::uint8_t>(c)) * 16777619U;
    }
  }
  std::uint32_t value() const { return value_; }

 private:
  std::uint32_t value_ = 2166136261U;
};

void append_number(std::uint32_t number, std::string& out) {
  char digits[10];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(digits, end);
}

// Each random() of a destination draws for itself: splitmix64 of the message's bits.
std::uint32_t draw(std::uint64_t random, std::size_t piece, std::uint32_t bound) {
  std::uint64_t z = random + (piece + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::uint32_t>((((z ^ (z >> 31)) >> 32) * bound) >> 32);
}

// Of the character at the front, in UTF-8; 1 if it is none.
std::size_t character_size(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (size > text.size()) return 1;
  const bool whole = std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(size),
                                 [](char c) { return (c & 0xc0) == 0x80; });
  return whole ? size : 1;
}

// Parts without text are left out, so that no token is empty; nats-server leaves an empty token in
// front of the parts when `text` begins the token twice.
void append_split(std::string_view token, std::string_view text, std::string& out) {
  bool first = true;
  while (!token.empty()) {
    const std::size_t size = text.empty() ? character_size(token) : token.find(text);
    const std::string_view part = token.substr(0, size);
    if (!part.empty()) {
      if (!first) out += separator;
      out += part;
      first = false;
    }
    if (size == std::string_view::npos) return;
    token.remove_prefix(size + text.size());
  }
}

// Tokens of `size` bytes, after a shorter one of `front` bytes if that is not 0.
void append_slices(std::string_view token, std::size_t front, std::size_t size, std::string& out) {
  if (front != 0) {
    out += token.substr(0, front);
    out += separator;
    token.remove_prefix(front);
  }
  while (token.size() > size) {
    out += token.substr(0, size);
    out += separator;
    token.remove_prefix(size);
  }
  out += token;
}

// What both filters' tokens allow, each a literal or any one token.
bool narrow_to(std::optional<FilterToken>& known, const FilterToken& token) {
  if (!known || known->kind == TokenKind::one) {
    known = token;
    return true;
  }
  return token.kind == TokenKind::one || token.text == known->text;
}

}  // namespace

struct Transform::Arguments {
  Function function = Function::text;
  std::string_view name;  // for people
  Parts parts;
};

struct Transform::Parser {
  const TransformUse use;
  std::vector<std::uint32_t> wildcards;  // where the source has them
  std::size_t used = 0;

  using Made = tl::expected<Piece, std::string>;

  Made read(std::string_view token) {
    if (token.size() > 1 && token.front() == '$') {
      if (const auto index = read_number(token.substr(1))) return read_wildcard(token, *index);
      return text_of(token);  // `$JS` and its like are names
    }
    const bool is_function = token.size() > 4 && token.starts_with("{{") && token.ends_with("}}");
    if (is_function) return read_function(token);
    return text_of(token);
  }

  static Made text_of(std::string_view token) {
    if (!is_safe(token)) {
      return refuse("invalid transform", token, "take blanks and control characters out");
    }
    Piece piece;
    piece.text = token;
    return piece;
  }

  Made read_wildcard(std::string_view token, std::int64_t index) {
    Piece piece;
    piece.function = Function::wildcard;
    if (auto error = add_token(piece, token, index); !error.empty()) {
      return tl::unexpected(std::move(error));
    }
    return piece;
  }

  // Empty if it went well.
  std::string add_token(Piece& piece, std::string_view token, std::int64_t index) {
    const auto count = static_cast<std::int64_t>(wildcards.size());
    if (index > count || count == 0) {
      return refuse("wildcard index out of range", token,
                    fmt::format("[{}], and the source has {} `*`", index, count))
          .value();
    }
    piece.tokens.push_back(index < 1 ? 0 : wildcards[static_cast<std::size_t>(index) - 1]);
    ++used;
    return {};
  }

  Made read_function(std::string_view token) {
    const auto arguments = arguments_of(token);
    if (!arguments) {
      return refuse("unknown function", token,
                    "wildcard, partition, random, split, splitFromLeft, splitFromRight, "
                    "sliceFromLeft, sliceFromRight, left and right are known");
    }
    if (use == TransformUse::reversible && arguments->function != Function::wildcard) {
      return refuse("the only mapping function allowed for import transforms is {{Wildcard()}}",
                    token, "use $n or {{wildcard(n)}}");
    }
    switch (arguments->function) {
      case Function::partition:
      case Function::random:
        return read_numbered(token, *arguments);
      default:
        return read_of_token(token, *arguments);
    }
  }

  static std::optional<Arguments> arguments_of(std::string_view token) {
    static constexpr std::pair<std::string_view, Function> known[] = {
        {"wildcard", Function::wildcard},
        {"partition", Function::partition},
        {"random", Function::random},
        {"split", Function::split},
        {"splitFromLeft", Function::split_left},
        {"splitFromRight", Function::split_right},
        {"sliceFromLeft", Function::slice_left},
        {"sliceFromRight", Function::slice_right},
        {"left", Function::left},
        {"right", Function::right},
    };
    const std::string_view call = trim(token.substr(2, token.size() - 4));
    const std::size_t open = call.find('(');
    if (open == std::string_view::npos || !call.ends_with(')')) return std::nullopt;
    const std::string_view name = trim(call.substr(0, open));
    for (const auto& [text, function] : known) {
      if (!is_named(name, text)) continue;
      const std::string_view inside = call.substr(open + 1, call.size() - open - 2);
      return Arguments{function, text, split_arguments(inside)};
    }
    return std::nullopt;
  }

  // partition(b), partition(b,n,…), random(b)
  Made read_numbered(std::string_view token, const Arguments& arguments) {
    const bool is_random = arguments.function == Function::random;
    if (is_random && arguments.parts.size() > 1) return refuse_count(token, arguments, true);
    Piece piece;
    piece.function = arguments.function;
    const auto bound = read_argument(arguments.parts.front());
    if (!bound) return refuse_argument(token, arguments.parts.front());
    piece.number = static_cast<std::int32_t>(*bound);
    for (std::size_t i = 1; i < arguments.parts.size(); ++i) {
      const auto index = read_argument(arguments.parts[i]);
      if (!index) return refuse_argument(token, arguments.parts[i]);
      if (auto error = add_token(piece, token, *index); !error.empty()) {
        return tl::unexpected(std::move(error));
      }
    }
    return piece;
  }

  // wildcard(n), split(n,text), and all others of a wildcard and a number
  Made read_of_token(std::string_view token, const Arguments& arguments) {
    const bool alone = arguments.function == Function::wildcard;
    const std::size_t wanted = alone ? 1 : 2;
    const auto& parts = arguments.parts;
    if (parts.size() != wanted) return refuse_count(token, arguments, parts.size() > wanted);
    if (alone && parts.front().empty()) return refuse_count(token, arguments, false);
    const auto index = read_argument(parts.front());
    if (!index) return refuse_argument(token, parts.front());
    Piece piece;
    piece.function = arguments.function;
    if (arguments.function == Function::split) {
      if (!is_safe(parts[1])) return refuse_argument(token, parts[1]);
      piece.text = parts[1];
    } else if (!alone) {
      const auto number = read_argument(parts[1]);
      if (!number) return refuse_argument(token, parts[1]);
      piece.number = static_cast<std::int32_t>(*number);
    }
    if (auto error = add_token(piece, token, *index); !error.empty()) {
      return tl::unexpected(std::move(error));
    }
    return piece;
  }

  static tl::unexpected<std::string> refuse_count(std::string_view token,
                                                  const Arguments& arguments, bool too_many) {
    const bool single =
        arguments.function == Function::wildcard || arguments.function == Function::random;
    return refuse(too_many ? "too many arguments passed to the function"
                           : "not enough arguments passed to the function",
                  token, fmt::format("{} takes {}", arguments.name, single ? "one" : "two"));
  }
  static tl::unexpected<std::string> refuse_argument(std::string_view token,
                                                     std::string_view argument) {
    return refuse("function argument is invalid or in the wrong format", token,
                  fmt::format("`{}` is not what belongs there", argument));
  }
};

tl::expected<Transform, std::string> Transform::parse(std::string_view source,
                                                      std::string_view destination,
                                                      TransformUse use) {
  const auto filter = parse_nats_filter(source);
  if (!filter || !is_safe(source)) {
    return tl::unexpected(fmt::format("invalid subject: the source `{}` is no filter{}{}", source,
                                      filter ? "" : ": ", filter ? "" : filter.error()));
  }
  Transform made;
  made.source_ = *filter;
  made.destination_ = destination;
  Parser parser{use, {}, 0};
  for (std::size_t i = 0; i < filter->size(); ++i) {
    if ((*filter)[i].kind == TokenKind::one) {
      parser.wildcards.push_back(static_cast<std::uint32_t>(i));
    }
  }
  const bool has_tail = (*filter)[filter->size() - 1].kind == TokenKind::tail;
  bool ended = false;
  Tokens tokens(destination);
  for (std::string_view token; tokens.next(token);) {
    if (token.empty()) return refuse("invalid transform", destination, "a token is empty");
    if (ended) return refuse("invalid transform", destination, "`>` may only stand at the end");
    if (token == "*") {
      return tl::unexpected(fmt::format(
          "invalid subject: `{}` has a `*`: say which wildcard is meant, as `$1`", destination));
    }
    if (made.pieces_.size() == max_filter_tokens) {
      return refuse("invalid transform", destination, "it has too many tokens");
    }
    if (token == ">") {
      ended = true;
      made.pieces_.emplace_back().function = Function::tail;
      made.pieces_.back().tokens.push_back(static_cast<std::uint32_t>(filter->size() - 1));
      continue;
    }
    auto piece = parser.read(token);
    if (!piece) return tl::unexpected(std::move(piece.error()));
    if (piece->function == Function::random) made.deterministic_ = false;
    made.pieces_.push_back(std::move(*piece));
  }
  if (ended != has_tail) {
    return tl::unexpected(fmt::format(
        "invalid subject: `{}` must end with `>` if and only if `{}` does", destination, source));
  }
  if (use == TransformUse::reversible && parser.used < parser.wildcards.size()) {
    return refuse("not using all of the token wildcard(s)", destination,
                  fmt::format("name each of the {} `*` of the source", parser.wildcards.size()));
  }
  return made;
}

void Transform::apply(std::string_view subject, std::uint64_t random, std::string& out) const {
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (i != 0) out += separator;
    if (pieces_[i].function == Function::random) {
      append_number(draw(random, i, static_cast<std::uint32_t>(std::max(pieces_[i].number, 0))),
                    out);
    } else {
      append(pieces_[i], subject, out);
    }
  }
}

void Transform::append(const Piece& piece, std::string_view subject, std::string& out) {
  switch (piece.function) {
    case Function::text:
      out += piece.text;
      return;
    case Function::tail:
      out += tokens_from(subject, piece.tokens.front());
      return;
    case Function::partition: {
      PartitionHash hash;
      for (const std::uint32_t token : piece.tokens) hash.add(token_at(subject, token));
      if (piece.tokens.empty()) hash.add(subject);
      const auto bound = static_cast<std::uint32_t>(piece.number);
      return append_number(bound == 0 ? 0 : hash.value() % bound, out);
    }
    default:
      return append_of_token(piece, token_at(subject, piece.tokens.front()), out);
  }
}

// A number that does not fall inside the token leaves it whole.
void Transform::append_of_token(const Piece& piece, std::string_view token, std::string& out) {
  if (piece.function == Function::split) return append_split(token, piece.text, out);
  const auto number = static_cast<std::size_t>(std::max(piece.number, 0));
  if (piece.function == Function::wildcard || number == 0 || number >= token.size()) {
    out += token;
    return;
  }
  const std::size_t rest = token.size() - number;
  switch (piece.function) {
    case Function::split_left:
      return append_slices(token, number, rest, out);
    case Function::split_right:
      return append_slices(token, rest, number, out);
    case Function::slice_left:
      return append_slices(token, 0, number, out);
    case Function::slice_right:
      return append_slices(token, token.size() % number, number, out);
    case Function::left:
      out += token.substr(0, number);
      return;
    default:
      out += token.substr(rest);
      return;
  }
}

Filter Transform::image() const {
  Filter image;
  for (const Piece& piece : pieces_) {
    if (piece.function == Function::text) {
      image.add(TokenKind::literal, piece.text);
    } else {
      image.add(piece.function == Function::tail ? TokenKind::tail : TokenKind::one);
    }
  }
  return image;
}

std::optional<Filter> Transform::origin(const Filter& narrow) const {
  std::vector<std::optional<FilterToken>> known(source_.size());
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i].function != Function::wildcard) continue;
    if (!narrow_to(known[pieces_[i].tokens.front()], narrow[i])) return std::nullopt;
  }
  Filter origin;
  for (std::size_t i = 0; i < source_.size(); ++i) {
    const FilterToken token = source_[i];
    if (token.kind == TokenKind::tail) {
      for (std::size_t k = pieces_.size() - 1; k < narrow.size(); ++k) {
        origin.add(narrow[k].kind, narrow[k].text);
      }
    } else if (token.kind == TokenKind::one && known[i]) {
      origin.add(known[i]->kind, known[i]->text);
    } else if (token.kind == TokenKind::literal && known[i] && known[i]->text != token.text &&
               known[i]->kind == TokenKind::literal) {
      return std::nullopt;  // `$0` is the first token, here a literal
    } else {
      origin.add(token.kind, token.text);
    }
  }
  return origin;
}

}  // namespace spanwire::subject
