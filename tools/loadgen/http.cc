#include "tools/loadgen/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

bool begins_like(std::string_view line, std::string_view lower) {
  return line.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), line.begin(),
                    [](char want, char got) { return want == (got | 0x20); });
}

// The number behind a header's colon; header names have no case.
std::optional<std::size_t> content_length(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    std::string_view line = head.substr(0, end);
    if (begins_like(line, name)) {
      line.remove_prefix(std::min(line.find_first_not_of(' ', name.size()), line.size()));
      std::size_t length = 0;
      const auto done = std::from_chars(line.data(), line.data() + line.size(), length);
      if (done.ec == std::errc()) return length;
    }
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 2);
  }
  return std::nullopt;
}

}  // namespace

base::Result<std::optional<std::size_t>> response_bytes(std::string_view in) {
  const auto head_end = in.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  const std::string_view head = in.substr(0, head_end);
  if (!head.starts_with("HTTP/1.1 2")) {
    return base::fail(std::string(head.substr(0, head.find("\r\n"))));
  }
  const auto length = content_length(head);
  if (!length) return base::fail("a response without Content-Length");
  const std::size_t whole = head_end + 4 + *length;
  return in.size() < whole ? std::nullopt : std::optional(whole);
}

std::string HttpRun::request(Method method) const {
  if (method == Method::get)
    return fmt::format("GET {} HTTP/1.1\r\nHost: load\r\n\r\n", plan().path);
  return fmt::format("POST {} HTTP/1.1\r\nHost: load\r\nContent-Length: {}\r\n\r\n{}", plan().path,
                     plan().shape.size, std::string(plan().shape.size, 'x'));
}

base::Status HttpRun::open() {
  const Shape& shape = plan().shape;
  for (std::uint32_t i = 0; i < shape.depth; ++i) batch_ += request(shape.method);
  for (std::uint32_t i = 0; i < shape.publishers; ++i) {
    auto fd = dial(plan().server);
    if (!fd) return tl::unexpected(fd.error());
    if (base::Status added = poller().add(fd->get(), EPOLLIN, i); !added) return added;
    clients_.push_back({.seat = Seat(std::move(*fd))});
  }
  // What GET finds at a broker must have been posted; a file server has its file already.
  return plan().path.starts_with("/broker/") ? prepare() : base::Status();
}

base::Status HttpRun::prepare() {
  const int fd = clients_.front().seat.fd();
  if (base::Status sent = send_all(fd, request(Method::post)); !sent) return sent;
  std::string answer;
  for (;;) {
    if (base::Status got = receive_some(fd, answer); !got) return got;
    const auto whole = response_bytes(answer);
    if (!whole) return tl::unexpected(whole.error());
    if (*whole) return {};
  }
}

base::Status HttpRun::ask(std::size_t client) {
  Client& asking = clients_[client];
  asking.awaited = plan().shape.depth;
  asked(asking.awaited);
  asking.sent_at = Clock::now();
  return send_all(asking.seat.fd(), batch_);
}

base::Status HttpRun::ready(std::uint64_t tag) {
  Client& client = clients_[tag];
  auto in = client.seat.read(buffer());
  if (!in) return tl::unexpected(in.error());
  while (!in->empty()) {
    const auto whole = response_bytes(*in);
    if (!whole) return tl::unexpected(whole.error());
    if (!*whole) break;
    if (client.awaited == 0) return base::fail("more responses than requests");
    in->remove_prefix(**whole);
    --client.awaited;
    answered();
  }
  client.seat.keep(*in);
  return client.awaited == 0 ? finished(tag, client.sent_at) : base::Status();
}

}  // namespace spanwire::loadgen
