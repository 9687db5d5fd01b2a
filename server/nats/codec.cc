#include "nats/codec.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spanwire::nats {
namespace {

// How a verb goes on.
enum class Shape : std::uint8_t {
  spaced,  // at least one blank, then an argument
  loose,   // blanks or none, then an argument
  bare,    // anything up to the end of the line, which means nothing
};

struct Name {
  std::string_view text;  // in small letters
  Verb verb;
  Shape shape;
};

// None is the start of another.
constexpr std::array<Name, 10> names{{
    {"pub", Verb::pub, Shape::spaced},
    {"hpub", Verb::hpub, Shape::spaced},
    {"sub", Verb::sub, Shape::spaced},
    {"unsub", Verb::unsub, Shape::spaced},
    {"ping", Verb::ping, Shape::bare},
    {"pong", Verb::pong, Shape::bare},
    {"connect", Verb::connect, Shape::loose},
    {"+ok", Verb::ok, Shape::bare},
    {"info", Verb::info, Shape::loose},
    {"-err", Verb::err, Shape::spaced},
}};

constexpr Decoded failed(Decode error) {
  return {.result = error, .consumed = 0};
}
constexpr Decoded more = {.result = Decode::need_more, .consumed = 0};

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// How many bytes at the front of `in` spell `name`.
std::size_t common_size(std::string_view in, std::string_view name) {
  std::size_t i = 0;
  while (i < in.size() && i < name.size() && lower(in[i]) == name[i]) ++i;
  return i;
}

// The verb at the front of `in`; null with `whole` set where no verb begins like this, and without
// where one may yet come.
const Name* find_name(std::string_view in, bool& wrong) {
  wrong = false;
  for (const Name& name : names) {
    const std::size_t common = common_size(in, name.text);
    if (common == name.text.size()) return &name;
    if (common == in.size()) return nullptr;
  }
  wrong = true;
  return nullptr;
}

// The words of an argument. A fifth is counted, but not kept.
struct Words {
  static constexpr std::size_t most = 4;
  std::array<std::string_view, most> at;
  std::size_t count = 0;

  void add(const char* begin, const char* end) {
    if (begin == end) return;
    if (count < most) at[count] = {begin, static_cast<std::size_t>(end - begin)};
    ++count;
  }
};

// A line's argument: from its first byte, which may be any but a blank, even a line's end, to the
// CR LF or LF after it.
struct Line {
  const char* begin = nullptr;
  const char* end = nullptr;   // of the argument
  const char* next = nullptr;  // what follows the line; null while it is not complete
};

// Cuts words at blanks, up to the LF. A CR before that LF belongs to neither.
class Splitter {
 public:
  Splitter(const char* begin, Line& line, Words& words) : word_(begin), line_(line), words_(words) {
    line.begin = begin;
  }

  // `at` is a blank or LF; false at the LF.
  bool separator(const char* at) {
    if (*at != '\n') {
      words_.add(word_, at);
      word_ = at + 1;
      return true;
    }
    const char* const end = at[-1] == '\r' && at - 1 > line_.begin ? at - 1 : at;
    words_.add(word_, end);
    line_.end = end;
    line_.next = at + 1;
    return false;
  }

 private:
  const char* word_;
  Line& line_;
  Words& words_;
};

// Splits the argument that begins at `begin`, whose first byte cannot end it.
void split(const char* begin, const char* end, Line& line, Words& words) {
  Splitter splitter(begin, line, words);
  const char* at = begin + 1;
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(' ');
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i newline = _mm_set1_epi8('\n');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i blanks = _mm_or_si128(_mm_cmpeq_epi8(bytes, space), _mm_cmpeq_epi8(bytes, tab));
    const __m128i found = _mm_or_si128(blanks, _mm_cmpeq_epi8(bytes, newline));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(found)); mask != 0; mask &= mask - 1) {
      if (!splitter.separator(at + std::countr_zero(mask))) return;
    }
  }
#endif
  for (; at < end; ++at) {
    if ((is_blank(*at) || *at == '\n') && !splitter.separator(at)) return;
  }
}

// Finds the end of an argument without cutting it into words.
void find_end(const char* begin, const char* end, Line& line) {
  line.begin = begin;
  if (end - begin < 2) return;
  const auto* at = static_cast<const char*>(
      std::memchr(begin + 1, '\n', static_cast<std::size_t>(end - begin - 1)));
  if (at == nullptr) return;
  line.end = at[-1] == '\r' && at - 1 > begin ? at - 1 : at;
  line.next = at + 1;
}

// Judges the length of the line, complete or not. A CR at the end of what is there may yet turn out
// to belong to the line's end.
Decode judge(const Line& line, const char* end, std::uint32_t limit) {
  const bool complete = line.next != nullptr;
  const char* last = complete ? line.end : end;
  if (!complete && last != line.begin && last[-1] == '\r') --last;
  if (static_cast<std::size_t>(last - line.begin) > limit) return Decode::line_too_long;
  return complete ? Decode::ok : Decode::need_more;
}

// A size: one to nine digits and nothing else; -1 for everything else.
std::int32_t parse_size(std::string_view text) {
  if (text.empty() || text.size() > 9) return -1;
  std::int32_t size = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    size = size * 10 + (c - '0');
  }
  return size;
}

// PUB subject [reply] size, HPUB subject [reply] header_size size.
Decode read_pub(const Words& words, const Limits& limits, Command& out) {
  const bool with_headers = out.verb == Verb::hpub;
  if (with_headers && !limits.headers) return Decode::silent;
  const std::size_t least = with_headers ? 3 : 2;
  if (words.count != least && words.count != least + 1) return Decode::silent;
  const std::int32_t total = parse_size(words.at[words.count - 1]);
  const std::int32_t header = with_headers ? parse_size(words.at[words.count - 2]) : 0;
  if (total < 0 || header < 0 || header > total) return Decode::silent;
  out.message.route = out.message.subject = words.at[0];
  out.message.reply = words.count > least ? words.at[1] : std::string_view();
  out.header_size = static_cast<std::uint32_t>(header);
  out.total_size = static_cast<std::uint32_t>(total);
  return out.total_size > limits.payload ? Decode::payload_too_large : Decode::ok;
}

// Takes the payload that begins at `begin`, if it is there with its end.
Decode read_payload(const char* begin, const char* end, Command& out) {
  const auto left = static_cast<std::size_t>(end - begin);
  const std::size_t size = out.total_size;
  if (left > size && begin[size] != '\r') return Decode::unknown_operation;
  if (left < size + 2) return Decode::body;
  if (begin[size + 1] != '\n') return Decode::unknown_operation;
  out.message.headers = {begin, out.header_size};
  out.message.payload = {begin + out.header_size, size - out.header_size};
  return Decode::ok;
}

Decoded decode_pub(const char* front, const char* begin, const char* end, const Limits& limits,
                   Command& out) {
  Line line;
  Words words;
  split(begin, end, line, words);
  if (const Decode length = judge(line, end, limits.control_line); length != Decode::ok) {
    return failed(length);
  }
  out.argument = {line.begin, static_cast<std::size_t>(line.end - line.begin)};
  if (const Decode verdict = read_pub(words, limits, out); verdict != Decode::ok) {
    return failed(verdict);
  }
  const Decode payload = read_payload(line.next, end, out);
  if (payload == Decode::unknown_operation) return failed(payload);
  const char* const behind =
      payload == Decode::ok ? line.next + out.total_size + payload_end.size() : line.next;
  return {.result = payload, .consumed = static_cast<std::size_t>(behind - front)};
}

#if defined(__SSE2__)
// Where a PUB line of less than 64 bytes has its blanks and LFs: a bit for each byte.
struct Marks {
  std::uint64_t ends = 0;  // blanks and LFs
  std::uint64_t newlines = 0;
};

Marks marks_of(const char* begin) {
  const __m128i space = _mm_set1_epi8(' ');
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i newline = _mm_set1_epi8('\n');
  const auto mask = [](__m128i found, int shift) {
    return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(found))} << shift;
  };
  Marks marks;
  for (int i = 0; i < 64; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin + i));
    const __m128i lf = _mm_cmpeq_epi8(bytes, newline);
    const __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(bytes, space), _mm_cmpeq_epi8(bytes, tab));
    marks.newlines |= mask(lf, i);
    marks.ends |= mask(_mm_or_si128(lf, blank), i);
    // Most lines end within the first pieces.
    if (marks.newlines != 0) break;
  }
  return marks;
}

// `PUB subject [reply] size`, with nothing unusual about it and short; false for anything else, and
// for any error, which decode_pub() finds. There are 64 bytes from `begin` on.
bool decode_plain_pub(const char* front, const char* begin, const char* end, const Limits& limits,
                      Command& out, Decoded& decoded) {
  Marks marks = marks_of(begin);
  if (marks.newlines == 0) return false;
  const int line_end = std::countr_zero(marks.newlines);
  const auto next_end = [&marks] {
    const int at = std::countr_zero(marks.ends);
    marks.ends &= marks.ends - 1;
    return at;
  };
  const int subject_end = next_end();
  if (subject_end == line_end) return false;
  int word = subject_end + 1;
  int word_end = next_end();
  std::string_view reply;
  if (word_end != line_end) {
    if (word_end == word) return false;
    reply = {begin + word, static_cast<std::size_t>(word_end - word)};
    word = word_end + 1;
    word_end = next_end();
  }
  if (word_end != line_end) return false;
  const int size_end = begin[line_end - 1] == '\r' ? line_end - 1 : line_end;
  if (static_cast<std::uint32_t>(size_end) > limits.control_line || word > size_end) return false;
  const std::int32_t size = parse_size({begin + word, static_cast<std::size_t>(size_end - word)});
  if (size < 0 || static_cast<std::uint32_t>(size) > limits.payload) return false;
  out.argument = {begin, static_cast<std::size_t>(size_end)};
  const std::string_view subject(begin, static_cast<std::size_t>(subject_end));
  // Not one from the other: a load of both halves would wait for their stores.
  out.message.route = subject;
  out.message.subject = subject;
  out.message.reply = reply;
  out.header_size = 0;
  out.total_size = static_cast<std::uint32_t>(size);
  const char* const payload = begin + line_end + 1;
  decoded.result = read_payload(payload, end, out);
  if (decoded.result == Decode::unknown_operation) return false;
  const char* const behind =
      decoded.result == Decode::ok ? payload + out.total_size + payload_end.size() : payload;
  decoded.consumed = static_cast<std::size_t>(behind - front);
  return true;
}
#endif

// The words of SUB and UNSUB; in these alone CR and LF also part words, where the reference lets
// them into an argument at all.
Words subscription_words(std::string_view argument) {
  Words words;
  const char* const end = argument.data() + argument.size();
  const char* word = argument.data();
  for (const char* at = word; at != end; ++at) {
    if (!is_blank(*at) && *at != '\r' && *at != '\n') continue;
    words.add(word, at);
    word = at + 1;
  }
  words.add(word, end);
  return words;
}

// SUB subject [queue] sid, UNSUB sid [max].
Decode read_subscription(Command& out) {
  const Words words = subscription_words(out.argument);
  const std::size_t least = out.verb == Verb::sub ? 2 : 1;
  if (words.count != least && words.count != least + 1) return Decode::silent;
  const bool optional = words.count > least;
  if (out.verb == Verb::sub) {
    out.subject = words.at[0];
    out.queue = optional ? words.at[1] : std::string_view();
    out.sid = words.at[words.count - 1];
    return Decode::ok;
  }
  out.sid = words.at[0];
  const std::int32_t max = optional ? parse_size(words.at[1]) : 0;
  out.max =
      max > 0 ? static_cast<std::uint32_t>(max) : 0;  // the reference takes -1, x, ... for none
  return Decode::ok;
}

Decoded decode_line(const char* front, const char* begin, const char* end, const Limits& limits,
                    Command& out) {
  Line line;
  find_end(begin, end, line);
  if (const Decode length = judge(line, end, limits.control_line); length != Decode::ok) {
    return failed(length);
  }
  out.argument = {line.begin, static_cast<std::size_t>(line.end - line.begin)};
  if (out.verb == Verb::sub || out.verb == Verb::unsub) {
    if (const Decode verdict = read_subscription(out); verdict != Decode::ok)
      return failed(verdict);
  }
  return {.result = Decode::ok, .consumed = static_cast<std::size_t>(line.next - front)};
}

// What stands behind a bare verb, up to the LF, is nothing; only its length is judged.
Decoded decode_bare(const char* front, const char* begin, const char* end, const Limits& limits) {
  Line line;
  find_end(begin - 1, end, line);
  line.begin = begin;
  if (const Decode length = judge(line, end, limits.control_line); length != Decode::ok) {
    return failed(length);
  }
  return {.result = Decode::ok, .consumed = static_cast<std::size_t>(line.next - front)};
}

// Everything but the PUB that decode() knows at a glance.
Decoded decode_any(std::string_view in, const Limits& limits, Command& out) {
  bool wrong = false;
  const Name* const name = find_name(in, wrong);
  if (name == nullptr) return wrong ? failed(Decode::unknown_operation) : more;
  const char* const front = in.data();
  const char* const end = front + in.size();
  const char* const behind = front + name->text.size();
  out.verb = name->verb;
  if (name->shape == Shape::bare) return decode_bare(front, behind, end, limits);
  const char* begin = behind;
  while (begin != end && is_blank(*begin)) ++begin;
  // The first blank is the verb's.
  if (begin - behind > std::ptrdiff_t{limits.control_line} + 1) {
    return failed(Decode::line_too_long);
  }
  if (begin == end) return more;
  if (begin == behind && name->shape == Shape::spaced) return failed(Decode::unknown_operation);
  const bool publishes = name->verb == Verb::pub || name->verb == Verb::hpub;
  return publishes ? decode_pub(front, begin, end, limits, out)
                   : decode_line(front, begin, end, limits, out);
}

}  // namespace

std::string_view verb_name(Verb verb) {
  switch (verb) {
    case Verb::connect:
      return "CONNECT";
    case Verb::info:
      return "INFO";
    case Verb::ping:
      return "PING";
    case Verb::pong:
      return "PONG";
    case Verb::pub:
      return "PUB";
    case Verb::hpub:
      return "HPUB";
    case Verb::sub:
      return "SUB";
    case Verb::unsub:
      return "UNSUB";
    case Verb::ok:
      return "+OK";
    case Verb::err:
      return "-ERR";
  }
  return "";
}

Decoded decode(std::string_view in, const Limits& limits, Command& out) {
  // The hot path: "PUB " and the first byte of a subject. Setting bit 5 makes capitals small; the
  // space is compared as it is, since a NUL would become one.
  if (in.size() >= 5 && in[3] == ' ' && !is_blank(in[4])) {
    std::uint32_t word = 0;
    std::uint32_t pub = 0;
    std::memcpy(&word, in.data(), sizeof word);
    std::memcpy(&pub, "pub ", sizeof pub);
    if ((word | 0x20202020U) == pub) {
      out.verb = Verb::pub;
      const char* const end = in.data() + in.size();
#if defined(__SSE2__)
      Decoded plain;
      if (in.size() >= 4 + 64 &&
          decode_plain_pub(in.data(), in.data() + 4, end, limits, out, plain)) {
        return plain;
      }
#endif
      return decode_pub(in.data(), in.data() + 4, end, limits, out);
    }
  }
  return decode_any(in, limits, out);
}

std::string_view error_text(Decode error) {
  switch (error) {
    case Decode::unknown_operation:
      return "Unknown Protocol Operation";
    case Decode::line_too_long:
      return "maximum control line exceeded";
    case Decode::payload_too_large:
      return "Maximum Payload Violation";
    default:
      return {};
  }
}

}  // namespace spanwire::nats
