#include "tools/loadgen/nats_wire.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <span>

#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {
namespace {

using namespace std::string_view_literals;

constexpr auto connect_line =
    R"(CONNECT {"verbose":false,"pedantic":false,"lang":"cpp","version":"1.0","protocol":1,)"
    R"("headers":true,"no_responders":true,"name":"load"})"
    "\r\n"sv;

// Four headers of common length; the same block in every message.
constexpr auto four_headers =
    "NATS/1.0\r\n"
    "Nats-Msg-Id: 7f3c9a1e5b2d4860\r\n"
    "Content-Type: application/json\r\n"
    "Trace-Parent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    "Source: device-0042\r\n"
    "\r\n"sv;

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

// Splits a line at its blanks into at most five words.
std::size_t split(std::string_view line, std::array<std::string_view, 5>& words) {
  std::size_t count = 0;
  while (!line.empty() && count < words.size()) {
    const auto blank = line.find(' ');
    words[count++] = line.substr(0, blank);
    line = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
  }
  return count;
}

NatsEvent failed(std::string_view text) {
  return {.kind = NatsEvent::Kind::error, .text = text};
}

// MSG <subject> <sid> [reply] <size>
NatsEvent read_message(std::string_view in, std::string_view line) {
  std::array<std::string_view, 5> words;
  const std::size_t count = split(line, words);
  if (count < 4) return failed(line);
  const std::string_view digits = words[count - 1];
  std::size_t size = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), size).ec != std::errc()) {
    return failed(line);
  }
  const std::size_t begin = line.size() + 2;
  if (in.size() < begin + size + 2) return {};
  return {.kind = NatsEvent::Kind::message,
          .size_bytes = begin + size + 2,
          .subject = words[1],
          .reply = count == 5 ? words[3] : std::string_view(),
          .headers = {},
          .payload = in.substr(begin, size)};
}

}  // namespace

// The first PONG may be followed by a second INFO; the second PONG comes after it.
base::Status NatsWire::join(int fd, const Interest& interest) const {
  std::string hello(connect_line);
  if (!interest.filter.empty()) {
    const auto blank = interest.queue.empty() ? "" : " ";
    fmt::format_to(std::back_inserter(hello), "SUB {} {}{}1\r\n", interest.filter, interest.queue,
                   blank);
  }
  hello.append("PING\r\nPING\r\n");
  if (base::Status sent = send_all(fd, hello); !sent) return sent;
  std::string answer;
  while (count_of(answer, "PONG\r\n") < 2) {
    if (base::Status got = receive_some(fd, answer); !got) return got;
    const auto error = answer.find("-ERR");
    if (error != std::string::npos) return base::fail(answer.substr(error, 80));
  }
  return {};
}

std::string NatsWire::subject(std::uint32_t group) const {
  return fmt::format("load.{:03}", group);
}

std::string NatsWire::subject(std::uint32_t group, std::uint32_t number) const {
  return fmt::format("load.{:03}.{:07}", group, number);
}

std::string NatsWire::all_subjects(std::uint32_t group) const {
  return fmt::format("load.{:03}.>", group);
}

std::string_view NatsWire::header_block() const {
  return headers_ ? four_headers : ""sv;
}

void NatsWire::append_publish(std::string& out, std::string_view subject,
                              std::string_view payload) const {
  if (headers_) {
    const std::size_t head = header_block().size();
    fmt::format_to(std::back_inserter(out), "HPUB {} {} {}\r\n{}", subject, head,
                   head + payload.size(), header_block());
  } else {
    fmt::format_to(std::back_inserter(out), "PUB {} {}\r\n", subject, payload.size());
  }
  out.append(payload).append("\r\n");
}

std::size_t NatsWire::payload_offset(std::string_view subject, std::size_t payload) const {
  const std::size_t head = header_block().size();
  if (headers_)
    return fmt::formatted_size("HMSG {} 1 {} {}\r\n", subject, head, head + payload) + head;
  return fmt::formatted_size("MSG {} 1 {}\r\n", subject, payload);
}

std::size_t NatsWire::delivery_bytes(std::string_view subject, std::size_t payload) const {
  return payload_offset(subject, payload) + payload + 2;
}

NatsEvent read_nats_event(std::string_view in) {
  const auto end = in.find("\r\n");
  if (end == std::string_view::npos) return {};
  const std::string_view line = in.substr(0, end);
  if (line.starts_with("MSG ")) return read_message(in, line);
  if (line.starts_with("-ERR") || line.starts_with("HMSG ")) return failed(line);
  const auto kind = line == "PING" ? NatsEvent::Kind::ping : NatsEvent::Kind::other;
  return {.kind = kind, .size_bytes = end + 2};
}

}  // namespace spanwire::loadgen
