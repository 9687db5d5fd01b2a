#include "json/writer.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>

#include "base/assert.h"
#include "json/utf8.h"

namespace spanwire::json {
namespace {

// True for a byte that stands for itself in a string; bytes from 0x80 are looked at as sequences.
constexpr std::array<bool, 256> make_plain(bool html) {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  if (html) plain['<'] = plain['>'] = plain['&'] = false;
  return plain;
}

constexpr auto plain_bytes = make_plain(false);
constexpr auto html_plain_bytes = make_plain(true);

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), FMT_COMPILE("\\u{:04x}"),
                     static_cast<unsigned char>(c));
  }
}

// Appends the sequence at the front of `text` and returns its size. Go escapes the two line
// separators that JavaScript once could not read inside a string.
std::size_t append_sequence(std::string& out, std::string_view text) {
  const std::size_t size = sequence_size(text);
  if (size == 0) {
    out += "\\ufffd";
    return 1;
  }
  const std::string_view sequence = text.substr(0, size);
  if (sequence == "\xe2\x80\xa8") {
    out += "\\u2028";
  } else if (sequence == "\xe2\x80\xa9") {
    out += "\\u2029";
  } else {
    out += sequence;
  }
  return size;
}

// So many decimal digits of a number that has no more, and what stands behind them.
char* put_digits(char* out, std::int64_t number, int digits, char behind) {
  for (int i = digits; i > 0; --i, number /= 10) out[i - 1] = static_cast<char>('0' + number % 10);
  out[digits] = behind;
  return out + digits + 1;
}

}  // namespace

void append_string(std::string& out, std::string_view text, Escape escape) {
  const auto& plain = escape == Escape::html ? html_plain_bytes : plain_bytes;
  out += '"';
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && plain[static_cast<unsigned char>(text[run])]) ++run;
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty()) break;
    std::size_t taken = 1;
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      append_escape(out, text.front());
    } else {
      taken = append_sequence(out, text);
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

void append_time(std::string& out, base::WallTime time) {
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss<base::Duration> clock(time - day);
  // Each answer with a message has one: 20 ns, and ten times that by a format text.
  std::array<char, 30> text;
  char* end = put_digits(text.data(), static_cast<int>(date.year()), 4, '-');
  end = put_digits(end, static_cast<unsigned>(date.month()), 2, '-');
  end = put_digits(end, static_cast<unsigned>(date.day()), 2, 'T');
  end = put_digits(end, clock.hours().count(), 2, ':');
  end = put_digits(end, clock.minutes().count(), 2, ':');
  end = put_digits(end, clock.seconds().count(), 2, '.');
  end = put_digits(end, clock.subseconds().count(), 9, '0');
  while (end[-1] == '0') --end;
  if (end[-1] == '.') --end;
  *end++ = 'Z';
  out.append(text.data(), end);
}

Writer& Writer::open(char bracket, bool object) {
  BASE_ASSERT(depth_ < max_depth);
  before_value();
  out_ += bracket;
  objects_ = (objects_ << 1U) | (object ? 1U : 0U);
  ++depth_;
  first_ = true;
  return *this;
}

Writer& Writer::close(char bracket, bool object) {
  BASE_ASSERT(depth_ > 0);
  BASE_ASSERT(in_object() == object);
  BASE_ASSERT(!after_key_);
  objects_ >>= 1U;
  --depth_;
  if (!first_) new_line();  // an empty one stays on its line
  out_ += bracket;
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  BASE_ASSERT(depth_ > 0);
  BASE_ASSERT(in_object());
  BASE_ASSERT(!after_key_);
  separate();
  append_string(out_, name, style_.escape);
  out_ += style_.indent > 0 ? ": " : ":";
  after_key_ = true;
  return *this;
}

void Writer::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  BASE_ASSERT(!in_object());
  if (depth_ > 0) separate();
}

void Writer::separate() {
  if (!first_) out_ += ',';
  first_ = false;
  new_line();
}

void Writer::new_line() {
  if (style_.indent == 0) return;
  out_ += '\n';
  out_.append((style_.level + depth_) * style_.indent, ' ');
}

Writer& Writer::value(bool boolean) {
  return raw(boolean ? "true" : "false");
}

Writer& Writer::value(std::string_view text) {
  before_value();
  append_string(out_, text, style_.escape);
  return *this;
}

// Go writes the shortest digits that read back as the same number, with an exponent only where the
// number is below 1e-6 or from 1e21 on.
Writer& Writer::value(double number) {
  if (!std::isfinite(number)) return null();
  const double size = std::fabs(number);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  std::array<char, 32> digits{};
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto done = std::to_chars(digits.data(), digits.data() + digits.size(), number, format);
  std::string_view text(digits.data(), static_cast<std::size_t>(done.ptr - digits.data()));
  const std::size_t padded = text.find("e-0");
  if (padded == std::string_view::npos) return raw(text);
  before_value();
  out_ += text.substr(0, padded + 2);
  out_ += text.substr(padded + 3);
  return *this;
}

Writer& Writer::value(base::WallTime time) {
  before_value();
  out_ += '"';
  append_time(out_, time);
  out_ += '"';
  return *this;
}

Writer& Writer::null() {
  return raw("null");
}

Writer& Writer::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

Writer& Writer::signed_value(std::int64_t number) {
  before_value();
  fmt::format_to(std::back_inserter(out_), FMT_COMPILE("{}"), number);
  return *this;
}

Writer& Writer::unsigned_value(std::uint64_t number) {
  before_value();
  fmt::format_to(std::back_inserter(out_), FMT_COMPILE("{}"), number);
  return *this;
}

}  // namespace spanwire::json
