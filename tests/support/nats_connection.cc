#include "tests/support/nats_connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace spanwire::test {
namespace {

constexpr std::string_view line_end = "\r\n";

std::size_t to_number(std::string_view text) {
  std::size_t out = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  BASE_ASSERT(error == std::errc{} && stop == end);
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    if (blank != 0) out.push_back(line.substr(0, blank));
    line.remove_prefix(std::min(blank + 1, line.size()));
  }
  return out;
}

int connect_to(std::uint16_t port) {
  const int out = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BASE_ASSERT(out >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BASE_ASSERT(::connect(out, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const int yes = 1;
  ::setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return out;
}

}  // namespace

std::size_t read_nats_frame(std::string_view in, NatsFrame& out) {
  const std::size_t line_size = in.find(line_end);
  if (line_size == std::string_view::npos) return 0;
  const std::vector<std::string_view> words = words_of(in.substr(0, line_size));
  const std::size_t body = line_size + line_end.size();
  out = {};
  if (words.empty()) return body;
  if (words[0] == "PING") out.kind = NatsFrame::Kind::ping;
  if (words[0] == "PONG") out.kind = NatsFrame::Kind::pong;
  const bool has_headers = words[0] == "HMSG";
  if (words[0] != "MSG" && !has_headers) return body;
  const std::size_t sizes = has_headers ? 2 : 1;
  BASE_ASSERT(words.size() == 3 + sizes || words.size() == 4 + sizes);
  const std::size_t total = to_number(words.back());
  const std::size_t headers = has_headers ? to_number(words[words.size() - 2]) : 0;
  if (in.size() < body + total + line_end.size()) return 0;
  out.kind = NatsFrame::Kind::message;
  out.subject = words[1];
  out.sid = words[2];
  if (words.size() == 4 + sizes) out.reply = words[3];
  out.headers = in.substr(body, headers);
  out.payload = in.substr(body + headers, total - headers);
  return body + total + line_end.size();
}

NatsConnection::NatsConnection(std::uint16_t port) : socket_(connect_to(port)) {
  out_ =
      "CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,"
      "\"no_responders\":true}\r\n";
}

NatsConnection::~NatsConnection() {
  flush();
  ::close(socket_);
}

void NatsConnection::subscribe(std::string_view subject, std::uint64_t sid) {
  out_ += fmt::format("SUB {} {}\r\n", subject, sid);
}

void NatsConnection::unsubscribe(std::uint64_t sid) {
  out_ += fmt::format("UNSUB {}\r\n", sid);
}

void NatsConnection::publish(std::string_view subject, std::string_view reply,
                             std::string_view headers, std::string_view payload) {
  const std::string to =
      reply.empty() ? std::string(subject) : fmt::format("{} {}", subject, reply);
  if (headers.empty()) {
    out_ += fmt::format("PUB {} {}\r\n", to, payload.size());
  } else {
    out_ += fmt::format("HPUB {} {} {}\r\n", to, headers.size(), headers.size() + payload.size());
  }
  out_.append(headers).append(payload).append(line_end);
}

void NatsConnection::ping() {
  out_ += "PING\r\n";
}

bool NatsConnection::work(const std::function<void(const NatsFrame&)>& on_message) {
  flush();
  const bool any = receive();
  const std::string in = std::exchange(in_, {});
  std::size_t at = 0;
  NatsFrame frame;
  while (const std::size_t size = read_nats_frame(std::string_view(in).substr(at), frame)) {
    at += size;
    if (frame.kind == NatsFrame::Kind::ping) out_ += "PONG\r\n";
    if (frame.kind == NatsFrame::Kind::pong) ++pongs_;
    if (frame.kind == NatsFrame::Kind::message) on_message(frame);
  }
  in_ = in.substr(at);
  return any;
}

void NatsConnection::flush() {
  std::string_view rest = out_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) break;  // it takes no more now
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  out_ = std::string(rest);
}

bool NatsConnection::receive() {
  bool any = false;
  char buffer[65'536];
  while (true) {
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return any;
    in_.append(buffer, static_cast<std::size_t>(got));
    any = true;
  }
}

}  // namespace spanwire::test
