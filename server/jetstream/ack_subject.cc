#include "jetstream/ack_subject.h"

#include <array>
#include <charconv>

#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view root = "$JS.ACK.";
constexpr std::size_t most_digits = 20;  // of a number with 64 bits, or 19 and a sign
constexpr std::size_t numbers = 5;
constexpr std::size_t first_form_tokens = 9;
constexpr std::size_t second_form_tokens = 11;

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end;
}

}  // namespace

AckSubject::AckSubject(std::string_view stream, std::string_view consumer) : buffer_(root) {
  buffer_ += stream;
  buffer_ += '.';
  buffer_ += consumer;
  buffer_ += '.';
  prefix_bytes_ = buffer_.size();
  buffer_.resize(prefix_bytes_ + numbers * (most_digits + 1));
}

std::string_view AckSubject::write(const Delivery& delivery) {
  char* at = buffer_.data() + prefix_bytes_;
  char* const end = buffer_.data() + buffer_.size();
  const auto append = [&](auto number) {
    at = std::to_chars(at, end, number).ptr;
    *at++ = subject::separator;  // the one behind the last number is not part of the text
  };
  append(delivery.delivered);
  append(delivery.stream_sequence);
  append(delivery.consumer_sequence);
  append(static_cast<std::int64_t>(delivery.time.time_since_epoch().count()));
  append(delivery.pending);
  const auto size = static_cast<std::size_t>(at - buffer_.data()) - 1;
  return std::string_view(buffer_).substr(0, size);
}

std::optional<ParsedAckSubject> parse_ack_subject(std::string_view subject) {
  if (!subject.starts_with(root)) return std::nullopt;
  std::array<std::string_view, second_form_tokens> tokens;
  std::size_t count = 0;
  subject::Tokens rest(subject);
  for (std::string_view token; count < tokens.size() && rest.next(token);) tokens[count++] = token;
  if (count != first_form_tokens && count != second_form_tokens) return std::nullopt;
  ParsedAckSubject parsed;
  std::size_t at = 2;
  if (count == second_form_tokens) {
    parsed.domain = tokens[at++];
    parsed.account_hash = tokens[at++];
  }
  parsed.stream = tokens[at++];
  parsed.consumer = tokens[at++];
  Delivery& delivery = parsed.delivery;
  std::int64_t nanoseconds = 0;
  const bool good = read_number(tokens[at], delivery.delivered) &&
                    read_number(tokens[at + 1], delivery.stream_sequence) &&
                    read_number(tokens[at + 2], delivery.consumer_sequence) &&
                    read_number(tokens[at + 3], nanoseconds) &&
                    read_number(tokens[at + 4], delivery.pending);
  if (!good) return std::nullopt;
  delivery.time = base::WallTime(base::Duration(nanoseconds));
  return parsed;
}

}  // namespace spanwire::jetstream
