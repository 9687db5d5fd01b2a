#include "tools/loadgen/http.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(5);
constexpr std::size_t read_bytes = std::size_t{64} * 1024;

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

HttpRun::HttpRun(Plan plan) : plan_(std::move(plan)) {}

std::string HttpRun::request(Method method) const {
  if (method == Method::get)
    return fmt::format("GET {} HTTP/1.1\r\nHost: load\r\n\r\n", plan_.path);
  return fmt::format("POST {} HTTP/1.1\r\nHost: load\r\nContent-Length: {}\r\n\r\n{}", plan_.path,
                     plan_.shape.size, std::string(plan_.shape.size, 'x'));
}

base::Result<Report> HttpRun::run() {
  if (base::Status opened = open(); !opened) return tl::unexpected(opened.error());
  if (base::Status warm = phase(plan_.warm_up, plan_.messages); !warm) {
    return tl::unexpected(warm.error());
  }
  latency_ = Histogram();
  const Meter meter(plan_.pids);
  const Reading begin = meter.read();
  const base::Status done = phase(plan_.length, plan_.messages);
  const Reading end = meter.read();
  if (!done) return tl::unexpected(done.error());
  Report report;
  report.span = between(begin, end);
  report.published = requests_;
  report.delivered = responses_;
  report.units = responses_;
  report.resident_bytes = meter.resident_bytes();
  report.latency = latency_;
  return report;
}

base::Status HttpRun::open() {
  auto poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  poller_ = std::move(*poller);
  buffer_.resize(read_bytes);
  for (std::uint32_t i = 0; i < plan_.shape.depth; ++i) batch_ += request(plan_.shape.method);
  for (std::uint32_t i = 0; i < plan_.shape.publishers; ++i) {
    auto fd = dial(plan_.server);
    if (!fd) return tl::unexpected(fd.error());
    if (base::Status added = poller_->add(fd->get(), EPOLLIN, i); !added) return added;
    clients_.push_back({.fd = std::move(*fd), .partial = {}});
  }
  // What GET finds at a broker must have been posted; a file server has its file already.
  if (!plan_.path.starts_with("/broker/")) return {};
  Client& first = clients_.front();
  if (base::Status sent = send_all(first.fd.get(), request(Method::post)); !sent) return sent;
  std::string answer;
  for (;;) {
    if (base::Status got = receive_some(first.fd.get(), answer); !got) return got;
    const auto whole = response_bytes(answer);
    if (!whole) return tl::unexpected(whole.error());
    if (*whole) return {};
  }
}

base::Status HttpRun::phase(base::Duration length, std::uint64_t requests) {
  requests_ = 0;
  responses_ = 0;
  sending_ = true;
  const auto stop_at = Clock::now() + length;
  for (Client& client : clients_) {
    if (base::Status sent = send_batch(client); !sent) return sent;
  }
  auto moved_at = Clock::now();
  std::uint64_t responses = 0;
  while (sending_ || responses_ < requests_) {
    for (const epoll_event& event : poller_->wait(100)) {
      if (base::Status done = ready(clients_[event.data.u64]); !done) return done;
    }
    const auto now = Clock::now();
    if (now >= stop_at || requests_ >= requests) sending_ = false;
    if (std::exchange(responses, responses_) != responses_) moved_at = now;
    if (now - moved_at > patience) {
      return base::fail(
          fmt::format("{} of {} requests were not answered", requests_ - responses_, requests_));
    }
  }
  return {};
}

base::Status HttpRun::send_batch(Client& client) {
  client.awaited = plan_.shape.depth;
  client.sent_at = Clock::now();
  requests_ += plan_.shape.depth;
  return send_all(client.fd.get(), batch_);
}

base::Status HttpRun::ready(Client& client) {
  const ssize_t got = ::recv(client.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0) {
    const bool nothing = errno == EAGAIN || errno == EINTR;
    return nothing ? base::Status() : base::fail(last_error("receive"));
  }
  if (got == 0) return base::fail("the server closed a connection");
  std::string_view in(buffer_.data(), static_cast<std::size_t>(got));
  std::string joined;
  if (!client.partial.empty()) {
    joined = std::exchange(client.partial, {}).append(in);
    in = joined;
  }
  while (!in.empty()) {
    const auto whole = response_bytes(in);
    if (!whole) return tl::unexpected(whole.error());
    if (!*whole) break;
    if (client.awaited == 0) return base::fail("more responses than requests");
    in.remove_prefix(**whole);
    --client.awaited;
    ++responses_;
  }
  client.partial.assign(in);
  if (client.awaited > 0) return {};
  latency_.record(static_cast<std::uint64_t>((Clock::now() - client.sent_at).count()));
  return sending_ ? send_batch(client) : base::Status();
}

}  // namespace spanwire::loadgen
