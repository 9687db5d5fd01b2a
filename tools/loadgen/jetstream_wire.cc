#include "tools/loadgen/jetstream_wire.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <string>

namespace spanwire::loadgen {
namespace {

constexpr std::string_view version = "NATS/1.0";

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// Takes the text before the next `separator`, or all of it, from the front of `text`.
std::string_view take(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const std::string_view found = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return found;
}

// Splits at every separator; returns how many there are, of which only the first are kept.
template <std::size_t N>
std::size_t split(std::string_view text, char separator, std::array<std::string_view, N>& words) {
  std::size_t count = 0;
  while (!text.empty()) {
    const std::string_view word = take(text, separator);
    if (count < N) words[count] = word;
    ++count;
  }
  return count;
}

// HMSG <subject> <sid> [reply] <header size> <size>
NatsEvent read_headed(std::string_view in, std::string_view line) {
  std::array<std::string_view, 6> words;
  const std::size_t count = split(line, ' ', words);
  const NatsEvent failed{.kind = NatsEvent::Kind::error, .text = line};
  if (count < 5 || count > words.size()) return failed;
  std::size_t head = 0;
  std::size_t size = 0;
  if (!read_number(words[count - 2], head) || !read_number(words[count - 1], size)) return failed;
  if (head > size) return failed;
  const std::size_t begin = line.size() + 2;
  if (in.size() < begin + 2 || in.size() - begin - 2 < size) return {};
  return {.kind = NatsEvent::Kind::message,
          .size_bytes = begin + size + 2,
          .subject = words[1],
          .reply = count == 6 ? words[3] : std::string_view(),
          .headers = in.substr(begin, head),
          .payload = in.substr(begin + head, size - head)};
}

// The members of a flat JSON object whose values are numbers, words and strings without escapes:
// all that an acknowledgement is made of.
class FlatObject {
 public:
  explicit FlatObject(std::string_view text) : rest_(text) { open_ = consume('{'); }

  // The next member; false at the end, or where the text is not such an object.
  bool next(std::string_view& name, std::string_view& value) {
    if (!open_ || (!first_ && !consume(','))) return false;
    first_ = false;
    return string(name) && consume(':') && (string(value) || word(value));
  }
  // Whether all of it was read.
  bool complete() { return open_ && consume('}') && rest_.empty(); }

 private:
  bool consume(char wanted) {
    blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    blanks();
    return true;
  }
  void blanks() {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  bool string(std::string_view& out) {
    if (!rest_.starts_with('"')) return false;
    const auto end = rest_.find_first_of("\"\\", 1);
    if (end == std::string_view::npos || rest_[end] != '"') return false;
    out = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool word(std::string_view& out) {
    const auto end = rest_.find_first_of(",{}[] \"");
    out = rest_.substr(0, end);
    rest_.remove_prefix(out.size());
    return !out.empty();
  }

  std::string_view rest_;
  bool open_ = false;
  bool first_ = true;
};

}  // namespace

NatsEvent read_headed_event(std::string_view in) {
  if (!in.starts_with("HMSG ")) return read_nats_event(in);
  const auto end = in.find("\r\n");
  return end == std::string_view::npos ? NatsEvent{} : read_headed(in, in.substr(0, end));
}

std::uint32_t status_of(std::string_view headers) {
  std::string_view line = headers.substr(0, headers.find("\r\n"));
  if (!line.starts_with(version)) return 0;
  line.remove_prefix(version.size());
  std::uint32_t status = 0;
  if (!line.starts_with(' ')) return 0;
  line.remove_prefix(1);
  return read_number(take(line, ' '), status) ? status : 0;
}

std::string_view header_value(std::string_view headers, std::string_view name) {
  take(headers, '\n');
  while (!headers.empty()) {
    std::string_view line = take(headers, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(':')) continue;
    line.remove_prefix(name.size() + 1);
    const auto begin = line.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
  }
  return {};
}

base::Result<std::uint64_t> read_pub_ack(std::string_view payload, std::string_view stream) {
  FlatObject object(payload);
  std::string_view name;
  std::string_view value;
  std::string_view found_stream;
  std::uint64_t sequence = 0;
  bool duplicate = false;
  while (object.next(name, value)) {
    if (name == "stream") found_stream = value;
    if (name == "seq" && !read_number(value, sequence)) sequence = 0;
    if (name == "duplicate") duplicate = value == "true";
  }
  if (!object.complete() || sequence == 0 || duplicate || found_stream != stream) {
    return base::fail(fmt::format("no acknowledgement of {}: {}", stream, payload.substr(0, 200)));
  }
  return sequence;
}

std::optional<Delivery> read_delivery(std::string_view reply) {
  constexpr std::string_view prefix = "$JS.ACK.";
  if (!reply.starts_with(prefix)) return std::nullopt;
  std::array<std::string_view, 10> words;
  const std::size_t count = split(reply.substr(prefix.size()), '.', words);
  const std::size_t first = count == 7 ? 0 : 2;  // behind the domain and the account
  if (count != 7 && count != 9 && count != 10) return std::nullopt;
  Delivery delivery{.stream = words[first], .consumer = words[first + 1]};
  if (!read_number(words[first + 2], delivery.times) ||
      !read_number(words[first + 3], delivery.stream_sequence) ||
      !read_number(words[first + 4], delivery.consumer_sequence) ||
      !read_number(words[first + 6], delivery.pending)) {
    return std::nullopt;
  }
  return delivery;
}

}  // namespace spanwire::loadgen
