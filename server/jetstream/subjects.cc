#include "jetstream/subjects.h"

#include <algorithm>

#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view blanks = "\t\n\f\r ";
bool has_any(std::string_view text, std::string_view bytes) {
  return text.find_first_of(bytes) != std::string_view::npos;
}

}  // namespace

bool is_valid_subject(std::string_view subject) {
  if (has_any(subject, blanks)) return false;
  bool ended = false;
  subject::Tokens tokens(subject);
  for (std::string_view token; tokens.next(token);) {
    if (token.empty() || ended) return false;
    ended = token == ">";
  }
  return true;
}

bool is_valid_name(std::string_view name) {
  return !name.empty() && !has_any(name, " \t\r\n\f.*>\\/");
}

bool subjects_collide(std::string_view a, std::string_view b) {
  // Nearly all pairs differ first in a literal token, and a new stream is held against all others.
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a != a.end() && in_b != b.end()) {
    const std::string_view same(a.begin(), in_a);
    const std::size_t token = same.rfind(subject::separator) + 1;  // 0: there is none
    const auto is_wild = [](char first) { return first == '*' || first == '>'; };
    if (!is_wild(a[token]) && !is_wild(b[token])) return false;
  }
  subject::Tokens tokens_a(a);
  subject::Tokens tokens_b(b);
  std::string_view token_a;
  std::string_view token_b;
  while (true) {
    const bool more_a = tokens_a.next(token_a);
    const bool more_b = tokens_b.next(token_b);
    if (!more_a || !more_b) return more_a == more_b;
    if (token_a == ">" || token_b == ">") return true;
    if (token_a != "*" && token_b != "*" && token_a != token_b) return false;
  }
}

bool is_subset(std::string_view narrow, std::string_view wide) {
  subject::Tokens narrow_tokens(narrow);
  subject::Tokens wide_tokens(wide);
  std::string_view from;
  std::string_view by;
  while (true) {
    const bool more_narrow = narrow_tokens.next(from);
    const bool more_wide = wide_tokens.next(by);
    if (!more_narrow || !more_wide) return more_narrow == more_wide;
    if (by == ">") return true;
    if (from == ">") return false;
    if (by != "*" && from != by) return false;
  }
}

}  // namespace spanwire::jetstream
