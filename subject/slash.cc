#include "subject/slash.h"

#include <array>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "subject/subject.h"

namespace spanwire::subject {
namespace {

// What a byte of a topic asks for. Everything but `plain` leaves the copying loop.
enum class Class : std::uint8_t { plain, slash, dot, blank, level_text, topic_wildcard, control };

constexpr Class classify(unsigned byte) {
  if (byte == '/') return Class::slash;
  if (byte == '.') return Class::dot;
  if (byte == ' ' || byte == '\t') return Class::blank;
  if (byte == '*' || byte == '>') return Class::level_text;  // special as a whole level only
  if (byte == '+' || byte == '#') return Class::topic_wildcard;
  return byte < 0x20 || byte == 0x7f ? Class::control : Class::plain;
}

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) table[byte] = classify(byte);
  return table;
}

constexpr std::array<Class, 256> classes = make_classes();

Class class_of(char c) {
  return classes[static_cast<unsigned char>(c)];
}

char* put(char* to, char first, char second) {
  to[0] = first;
  to[1] = second;
  return to + 2;
}

// Text with levels between separators: where a walk stands is known from the neighbouring bytes.
struct Text {
  const char* begin;
  const char* end;
  char separator;

  bool opens_level(const char* at) const { return at == begin || at[-1] == separator; }
  bool closes_level(const char* at) const { return at + 1 == end || at[1] == separator; }
};

Text text_of(std::string_view bytes, char level_separator) {
  return {bytes.data(), bytes.data() + bytes.size(), level_separator};
}

#if defined(__SSE2__)
constexpr std::size_t block_bytes = 16;

template <class Word>
std::uint64_t load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The next `size` bytes, 1 to 16, and zeros behind them. Reads no byte beyond.
__m128i load_block(const char* from, std::size_t size) {
  if (size >= block_bytes) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  if (size > 8) {
    const std::uint64_t last = load<std::uint64_t>(from + size - 8) >> (8 * (16 - size));
    return _mm_set_epi64x(static_cast<long long>(last),
                          static_cast<long long>(load<std::uint64_t>(from)));
  }
  std::uint64_t bytes = 0;
  if (size >= 4) {
    bytes = load<std::uint32_t>(from) | load<std::uint32_t>(from + size - 4) << (8 * (size - 4));
  } else {
    const std::size_t middle = size / 2;
    bytes = load<std::uint8_t>(from) | load<std::uint8_t>(from + middle) << (8 * middle) |
            load<std::uint8_t>(from + size - 1) << (8 * (size - 1));
  }
  return _mm_cvtsi64_si128(static_cast<long long>(bytes));
}

// All ones where classes[] has neither plain nor, of `.` and `/`, the one that separates.
__m128i find_special(__m128i bytes, __m128i separates) {
  const __m128i odd = _mm_or_si128(bytes, _mm_set1_epi8(1));  // joins `*` to `+`, `.` to `/`
  const __m128i blank = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  const __m128i star_plus = _mm_cmpeq_epi8(odd, _mm_set1_epi8('+'));
  const __m128i dot_slash = _mm_cmpeq_epi8(odd, _mm_set1_epi8('/'));
  const __m128i greater = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('>'));
  const __m128i number = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
  const __m128i low_half = _mm_or_si128(_mm_or_si128(blank, del), _mm_or_si128(greater, number));
  return _mm_andnot_si128(separates, _mm_or_si128(low_half, _mm_or_si128(star_plus, dot_slash)));
}

// Copies plain bytes and lone separators, which become `to_separator`, and stops before the first
// byte that is neither. Up to slack_bytes behind the last byte written are scratch.
constexpr std::size_t slack_bytes = block_bytes;
void copy_plain(const Text& text, char to_separator, const char*& read, char*& to) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(text.separator ^ to_separator));
  while (read != text.end) {
    const __m128i bytes = load_block(read, static_cast<std::size_t>(text.end - read));
    const __m128i separates = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(text.separator));
    const __m128i changed = _mm_xor_si128(bytes, _mm_and_si128(separates, flip));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), changed);
    const auto separators = static_cast<unsigned>(_mm_movemask_epi8(separates));
    const unsigned empty_levels = separators & (separators << 1 | (text.opens_level(read) ? 1 : 0));
    const auto special = static_cast<unsigned>(_mm_movemask_epi8(find_special(bytes, separates)));
    const unsigned stops = special | empty_levels;  // the zeros behind the end are special
    const std::size_t taken = stops == 0 ? block_bytes : std::countr_zero(stops);
    read += taken;
    to += taken;
    if (taken < block_bytes) return;
  }
}
#else
constexpr std::size_t slack_bytes = 0;
void copy_plain(const Text& text, char to_separator, const char*& read, char*& to) {
  for (; read != text.end; ++read) {
    const bool separates = *read == text.separator && !text.opens_level(read);
    if (!separates && class_of(*read) != Class::plain) return;
    *to++ = separates ? to_separator : *read;
  }
}
#endif

// Where the writing stands, and the byte that stopped it (the end: none did).
struct Progress {
  const char* read;
  char* written;
};

// Writes the subject of a topic to `to`, which has room for twice the topic and one byte more: the
// worst cases are a byte that becomes a pair, and an empty level that becomes a token.
Progress write_subject(const Text& topic, char* to) {
  const char* read = topic.begin;
  for (;; ++read) {
    copy_plain(topic, separator, read, to);
    if (read == topic.end) break;
    switch (class_of(*read)) {
      case Class::slash:  // the end of an empty level: copy_plain() took the others
        to = put(to, '/', separator);
        break;
      case Class::dot:
        to = put(to, '/', '/');
        break;
      case Class::blank:
        to = put(to, '/', *read == ' ' ? '_' : 't');
        break;
      case Class::level_text:
        if (topic.opens_level(read) && topic.closes_level(read)) *to++ = '/';
        [[fallthrough]];
      case Class::plain:
        *to++ = *read;
        break;
      case Class::topic_wildcard:
      case Class::control:
        return {read, to};
    }
  }
  if (topic.opens_level(read)) *to++ = '/';
  return {read, to};
}

// The byte that the pair `/x` stands for wherever it is in a token, or 0.
char unescape(char x) {
  switch (x) {
    case '/':
      return '.';
    case '_':
      return ' ';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

// Reads what the `/` at `read` begins, writes what it stands for, and moves past it. False if it
// begins nothing that a topic maps to.
bool take_escape(const Text& subject, const char*& read, char*& to) {
  const bool opens = subject.opens_level(read);
  if (opens && subject.closes_level(read)) {
    ++read;
    return true;  // an empty level
  }
  if (read + 1 == subject.end) return false;
  const char x = read[1];
  if (const char byte = unescape(x)) {
    *to++ = byte;
  } else if (opens && (x == '*' || x == '>') && subject.closes_level(read + 1)) {
    *to++ = x;
  } else {
    return false;
  }
  read += 2;
  return true;
}

// Writes the topic of a subject to `to`, which has room for the subject's size. Null if there is
// no such topic.
char* write_topic(const Text& subject, char* to) {
  const char* read = subject.begin;
  for (;;) {
    copy_plain(subject, '/', read, to);
    if (read == subject.end) break;
    switch (class_of(*read)) {
      case Class::slash:
        if (!take_escape(subject, read, to)) return nullptr;
        break;
      case Class::level_text:
        if (subject.opens_level(read) && subject.closes_level(read)) return nullptr;
        [[fallthrough]];
      case Class::plain:
        *to++ = *read++;
        break;
      case Class::dot:  // the end of an empty token: copy_plain() took the others
      case Class::blank:
      case Class::topic_wildcard:
      case Class::control:
        return nullptr;
    }
  }
  return subject.opens_level(read) ? nullptr : to;
}

Slash refusal_of(char c) {
  return class_of(c) == Class::topic_wildcard ? Slash::wildcard : Slash::control;
}

bool has_topic_size(std::string_view text) {
  return !text.empty() && text.size() <= max_topic_size_bytes;
}

// Appends the subject of a text of any size, an empty one (the token of an empty level) included.
// Returns the place of the refused byte, or the text's size; then alone `subject` has grown.
std::size_t append_subject(std::string_view topic, std::string& subject) {
  const std::size_t kept = subject.size();
  subject.resize(kept + 2 * topic.size() + 1 + slack_bytes);
  const Text text = text_of(topic, '/');
  const Progress done = write_subject(text, subject.data() + kept);
  const bool whole = done.read == text.end;
  subject.resize(whole ? static_cast<std::size_t>(done.written - subject.data()) : kept);
  return static_cast<std::size_t>(done.read - text.begin);
}

}  // namespace

SlashResult topic_to_subject(std::string_view topic, std::string& subject) {
  if (topic.empty()) return {.status = Slash::empty};
  if (topic.size() > max_topic_size_bytes) {
    return {.status = Slash::too_long, .offset = max_topic_size_bytes};
  }
  const std::size_t taken = append_subject(topic, subject);
  if (taken == topic.size()) return {};
  return {.status = refusal_of(topic[taken]), .offset = taken};
}

Spelling subject_to_topic(std::string_view subject, std::string& topic) {
  const std::size_t kept = topic.size();
  topic.resize(kept + subject.size() + slack_bytes);
  char* const begin = topic.data() + kept;
  const char* written = write_topic(text_of(subject, separator), begin);
  const std::size_t size_bytes = written ? static_cast<std::size_t>(written - begin) : 0;
  const bool spelled = size_bytes > 0 && size_bytes <= max_topic_size_bytes;
  topic.resize(spelled ? kept + size_bytes : kept);
  return spelled ? Spelling::ok : Spelling::not_spellable;
}

bool is_valid_topic_name(std::string_view topic) {
  return has_topic_size(topic) && topic.find('+') == std::string_view::npos &&
         topic.find('#') == std::string_view::npos;
}

bool is_valid_topic_filter(std::string_view filter) {
  if (!has_topic_size(filter)) return false;
  const Text text = text_of(filter, '/');
  for (const char* at = text.begin; at != text.end; ++at) {
    if (*at != '+' && *at != '#') continue;
    if (!text.opens_level(at)) return false;
    if (*at == '+' ? !text.closes_level(at) : at + 1 != text.end) return false;
  }
  return true;
}

tl::expected<Filter, std::string_view> parse_topic_filter(std::string_view text) {
  using Refused = tl::unexpected<std::string_view>;
  if (!is_valid_topic_filter(text)) return Refused("not a valid topic filter");
  Filter filter;
  std::string token;
  for (std::size_t begin = 0; begin <= text.size();) {
    if (filter.size() == max_filter_tokens) return Refused("too many levels");
    const std::string_view level = text.substr(begin, text.find('/', begin) - begin);
    begin += level.size() + 1;
    if (level == "+") {
      filter.add(TokenKind::one);
    } else if (level == "#") {
      filter.add(TokenKind::tail_or_here);
    } else {
      token.clear();
      if (append_subject(level, token) != level.size()) return Refused("a control byte");
      filter.add(TokenKind::literal, token);
    }
  }
  filter.hide_dollar();
  return filter;
}

}  // namespace spanwire::subject
