#include "streams/api_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "bus/headers.h"
#include "crypto/encoding.h"
#include "json/document.h"
#include "json/fields.h"

namespace spanwire::streams {
namespace {

constexpr std::size_t max_error_text_bytes = 512;

// Another server's words, for a log.
std::string one_line(std::string_view text) {
  std::string out(text.substr(0, max_error_text_bytes));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

tl::unexpected<ApiError> unreadable() {
  return tl::unexpected(ApiError{.text = "the answer is not one of JetStream"});
}

// The answer, unless it is an error.
Answer<json::Document> parse_answer(std::string_view payload) {
  auto document = json::Document::parse(payload);
  if (!document || document->root().kind() != json::Kind::object) return unreadable();
  json::Fields fields(document->root());
  std::optional<json::Value> error;
  fields.read_object("error", error);
  if (!fields.status()) return unreadable();
  if (!error) return std::move(*document);
  std::int32_t code = 500;
  std::int32_t number = 0;
  std::string text;
  json::Fields of_error(*error);
  of_error.read("code", code);
  of_error.read("err_code", number);
  of_error.read("description", text);
  if (!of_error.status()) return unreadable();
  return tl::unexpected(ApiError{.code = code, .number = number, .text = one_line(text)});
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && stop == end && !text.empty();
}

// Digits at `at`, followed by `end`; moves behind it.
bool read_part(std::string_view text, std::size_t& at, std::size_t digits, char end, int& out) {
  if (text.size() < at + digits + 1 || text[at + digits] != end) return false;
  if (!read_number(text.substr(at, digits), out) || out < 0) return false;
  at += digits + 1;
  return true;
}

std::optional<base::Duration> parse_fraction(std::string_view text) {
  if (text.empty()) return base::Duration::zero();
  if (text.front() != '.' || text.size() < 2 || text.size() > 10) return std::nullopt;
  std::string digits(text.substr(1));
  digits.resize(9, '0');
  std::int64_t nanoseconds = 0;
  if (!read_number(std::string_view(digits), nanoseconds) || nanoseconds < 0) return std::nullopt;
  return std::chrono::nanoseconds(nanoseconds);
}

// As JetStream writes the time of a message: RFC 3339 in UTC. Only years that a WallTime holds.
std::optional<base::WallTime> parse_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::size_t at = 0;
  if (!text.ends_with('Z') || text.size() < 20) return std::nullopt;
  std::string padded(text.substr(0, 19));
  padded += 'Z';
  const std::string_view head = padded;
  if (!read_part(head, at, 4, '-', year) || !read_part(head, at, 2, '-', month) ||
      !read_part(head, at, 2, 'T', day) || !read_part(head, at, 2, ':', hour) ||
      !read_part(head, at, 2, ':', minute) || !read_part(head, at, 2, 'Z', second)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)});
  if (!date.ok() || year < 1678 || year > 2261 || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const auto fraction = parse_fraction(text.substr(19, text.size() - 20));
  if (!fraction) return std::nullopt;
  return base::WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) + *fraction;
}

base::Ref<const bus::Message> make_message(std::string_view subject, std::string_view headers,
                                           std::string_view payload) {
  bus::MessageView view;
  view.route = view.subject = subject;
  view.headers = headers;
  view.payload = payload;
  return bus::Message::copy(view);
}

// What the server has put behind the headers of a message that is read directly.
struct Provenance {
  std::string_view subject;
  Sequence sequence = 0;
  base::WallTime time{};
};

bool read_provenance(std::string_view block, Provenance& out) {
  bool has_sequence = false;
  bool has_time = false;
  bus::HeaderLines lines(block);
  bus::Header header;
  while (lines.next(header)) {
    if (header.name == "Nats-Subject") out.subject = header.value;
    if (header.name == "Nats-Sequence") has_sequence = read_number(header.value, out.sequence);
    if (header.name == "Nats-Time-Stamp") {
      const auto time = parse_time(header.value);
      has_time = time.has_value();
      if (time) out.time = *time;
    }
  }
  return !out.subject.empty() && has_sequence && has_time;
}

}  // namespace

Failure failure_of(const ApiError& error) {
  using Kind = Failure::Kind;
  const auto as = [&error](Kind kind) { return Failure{.kind = kind, .text = error.text}; };
  switch (error.number) {
    case 10070:  // wrong last message id
    case 10071:
    case 10164:
      return as(Kind::wrong_last);
    case 10039:
    case 10076:
      return {.kind = Kind::refused,
              .text = fmt::format("{}: enable JetStream there for this account", error.text)};
    case 10012:  // a consumer, and a configuration, that cannot be, with the code 500
    case 10052:
    case 10023:  // resources: of the server, of memory, of the disk
    case 10028:
    case 10047:
      return as(Kind::refused);
    case 10077:  // the stream's limits have this number, and so has a failed disk
      return as(error.text.starts_with("maximum ") ? Kind::refused : Kind::unknown);
    default:
      break;
  }
  if (error.code == 404) return as(Kind::not_found);
  return as(error.code == 0 || error.code >= 500 ? Kind::unknown : Kind::refused);
}

Answer<Appended> read_pub_ack(std::string_view payload, std::string_view stream) {
  const auto document = parse_answer(payload);
  if (!document) return tl::unexpected(document.error());
  Appended out;
  std::string stored_by;
  json::Fields fields(document->root());
  fields.read("stream", stored_by);
  fields.read("seq", out.sequence);
  fields.read("duplicate", out.duplicate);
  if (!fields.status() || out.sequence == 0) return unreadable();
  if (stored_by != stream) {
    return tl::unexpected(
        ApiError{.code = 400,
                 .text = fmt::format("the subject belongs to the stream {}", one_line(stored_by))});
  }
  return out;
}

Answer<StreamAnswer> read_stream(std::string_view payload) {
  const auto document = parse_answer(payload);
  if (!document) return tl::unexpected(document.error());
  std::optional<json::Value> config;
  std::optional<json::Value> state;
  json::Fields fields(document->root());
  fields.read_object("config", config);
  fields.read_object("state", state);
  if (!fields.status() || !config || !state) return unreadable();
  StreamAnswer out;
  std::int64_t replicas = 1;
  json::Fields of_config(*config);
  of_config.read("allow_direct", out.direct);
  of_config.read("num_replicas", replicas);
  json::Fields of_state(*state);
  of_state.read("messages", out.state.messages);
  of_state.read("bytes", out.state.bytes);
  of_state.read("first_seq", out.state.first);
  of_state.read("last_seq", out.state.last);
  if (!of_config.status() || !of_state.status()) return unreadable();
  out.direct = out.direct && replicas <= 1;
  return out;
}

Answer<StoredMessage> read_stored(std::string_view payload) {
  const auto document = parse_answer(payload);
  if (!document) return tl::unexpected(document.error());
  std::optional<json::Value> message;
  json::Fields fields(document->root());
  fields.read_object("message", message);
  if (!fields.status() || !message) return unreadable();
  StoredMessage out;
  std::string subject, headers, data, time;
  json::Fields of_message(*message);
  of_message.read("subject", subject);
  of_message.read("seq", out.sequence);
  of_message.read("hdrs", headers);
  of_message.read("data", data);
  of_message.read("time", time);
  const auto at = parse_time(time);
  const auto block = crypto::from_base64(headers);
  const auto body = crypto::from_base64(data);
  if (!of_message.status() || subject.empty() || out.sequence == 0 || !at || !block || !body) {
    return unreadable();
  }
  out.time = *at;
  out.message = make_message(subject, *block, *body);
  return out;
}

Answer<StoredMessage> read_direct(const bus::MessageView& message) {
  if (const auto status = bus::read_status(message.headers)) {
    return tl::unexpected(ApiError{.code = status->code, .text = one_line(status->text)});
  }
  // Its own headers come first, and may have the same names.
  constexpr std::string_view first_added = "\r\nNats-Stream: ";
  const std::size_t own_end = message.headers.rfind(first_added);
  if (own_end == std::string_view::npos) return unreadable();
  Provenance from;
  if (!read_provenance(message.headers.substr(own_end), from)) return unreadable();
  std::string headers;
  const std::string_view own = message.headers.substr(0, own_end);
  if (own.find("\r\n") != std::string_view::npos) {
    headers = own;
    headers += "\r\n\r\n";
  }
  return StoredMessage{.sequence = from.sequence,
                       .time = from.time,
                       .message = make_message(from.subject, headers, message.payload)};
}

Answer<std::uint64_t> read_purged(std::string_view payload) {
  const auto document = parse_answer(payload);
  if (!document) return tl::unexpected(document.error());
  bool success = false;
  std::uint64_t purged = 0;
  json::Fields fields(document->root());
  fields.read("success", success);
  fields.read("purged", purged);
  if (!fields.status() || !success) return unreadable();
  return purged;
}

Answer<void> read_success(std::string_view payload) {
  const auto document = parse_answer(payload);
  if (!document) return tl::unexpected(document.error());
  bool success = false;
  json::Fields fields(document->root());
  fields.read("success", success);
  if (!fields.status() || !success) return unreadable();
  return {};
}

Answer<ConsumerAnswer> read_consumer(std::string_view payload) {
  const auto document = parse_answer(payload);
  if (!document) return tl::unexpected(document.error());
  ConsumerAnswer out;
  std::string name;
  std::optional<json::Value> delivered;
  json::Fields fields(document->root());
  fields.read("name", name);
  fields.read("num_pending", out.pending);
  fields.read_object("delivered", delivered);
  if (!fields.status() || name.empty() || !delivered) return unreadable();
  json::Fields of_delivered(*delivered);
  of_delivered.read("stream_seq", out.delivered);
  if (!of_delivered.status()) return unreadable();
  return out;
}

std::optional<AckSubject> parse_ack_subject(std::string_view subject) {
  constexpr std::string_view start = "$JS.ACK.";
  if (!subject.starts_with(start)) return std::nullopt;
  std::array<std::string_view, 10> tokens;  // behind the start; what follows is not of interest
  std::size_t count = 0;
  for (std::size_t at = start.size(); count < tokens.size() && at <= subject.size(); ++count) {
    const std::size_t dot = std::min(subject.find('.', at), subject.size());
    tokens[count] = subject.substr(at, dot - at);
    at = dot + 1;
  }
  if (count != 7 && count < 9) return std::nullopt;
  const std::size_t first = count == 7 ? 2 : 4;
  AckSubject out;
  std::int64_t time = 0;
  if (!read_number(tokens[first], out.token.attempt) ||
      !read_number(tokens[first + 1], out.token.sequence) ||
      !read_number(tokens[first + 2], out.token.delivery) ||
      !read_number(tokens[first + 3], time) || !read_number(tokens[first + 4], out.pending) ||
      out.token.sequence == 0 || out.token.delivery == 0 || tokens[first - 1].empty()) {
    return std::nullopt;
  }
  out.consumer = tokens[first - 1];
  out.prefix = subject.substr(0, static_cast<std::size_t>(tokens[first].data() - subject.data()));
  out.time = base::WallTime(base::Duration(time));
  return out;
}

std::string ack_subject(std::string_view prefix, const AckToken& token) {
  return fmt::format("{}{}.{}.{}.0.0", prefix, token.attempt, token.sequence, token.delivery);
}

}  // namespace spanwire::streams
