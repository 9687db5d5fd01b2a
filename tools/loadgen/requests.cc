#include "tools/loadgen/requests.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(5);
constexpr std::uint64_t is_responder = std::uint64_t{1} << 32;
constexpr std::size_t read_bytes = std::size_t{64} * 1024;

// The official clients' inboxes are 22 random characters; these are as long.
std::string inbox_of(std::uint32_t number) {
  return fmt::format("_INBOX.Q7bZkW0yVtPmL3xGd{:03}.", number);
}

}  // namespace

RequestRun::RequestRun(Plan plan) : plan_(std::move(plan)), payload_(plan_.shape.size, 'x') {}

base::Result<Report> RequestRun::run() {
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
  report.published = 2 * requests_;  // a request and a reply are a message each
  report.delivered = 2 * replies_;
  report.units = report.published;
  report.resident_bytes = meter.resident_bytes();
  report.latency = latency_;
  return report;
}

base::Status RequestRun::open() {
  auto poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  poller_ = std::move(*poller);
  buffer_.resize(read_bytes);
  for (std::uint32_t i = 0; i < plan_.shape.publishers; ++i) {
    if (base::Status done = open_pair(i); !done) return done;
  }
  return {};
}

base::Status RequestRun::open_pair(std::uint32_t number) {
  Pair pair;
  pair.inbox = inbox_of(number);
  const std::pair<Seat*, std::string> seats[] = {{&pair.responder, wire_.subject(number)},
                                                 {&pair.requester, pair.inbox + "*"}};
  for (const auto& [seat, filter] : seats) {
    auto fd = dial(plan_.server);
    if (!fd) return tl::unexpected(fd.error());
    if (base::Status joined = wire_.join(fd->get(), {filter, ""}); !joined) return joined;
    const std::uint64_t side = seat == &pair.responder ? is_responder : 0;
    if (base::Status added = poller_->add(fd->get(), EPOLLIN, side | number); !added) return added;
    seat->fd = std::move(*fd);
  }
  pairs_.push_back(std::move(pair));
  return {};
}

base::Status RequestRun::phase(base::Duration length, std::uint64_t requests) {
  requests_ = 0;
  replies_ = 0;
  sending_ = true;
  const auto stop_at = Clock::now() + length;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (base::Status sent = request(i); !sent) return sent;
  }
  auto moved_at = Clock::now();
  std::uint64_t replies = 0;
  while (sending_ || replies_ < requests_) {
    if (base::Status taken = take_events(100); !taken) return taken;
    const auto now = Clock::now();
    if (now >= stop_at || requests_ >= requests) sending_ = false;
    if (std::exchange(replies, replies_) != replies_) moved_at = now;
    if (now - moved_at > patience) {
      return base::fail(
          fmt::format("{} of {} requests were not answered", requests_ - replies_, requests_));
    }
  }
  return {};
}

base::Status RequestRun::request(std::size_t index) {
  Pair& pair = pairs_[index];
  ++pair.number;
  ++requests_;
  pair.waiting = true;
  out_.clear();
  fmt::format_to(std::back_inserter(out_), "PUB {} {}{:08} {}\r\n{}\r\n",
                 wire_.subject(static_cast<std::uint32_t>(index)), pair.inbox, pair.number,
                 payload_.size(), payload_);
  pair.sent_at = Clock::now();
  return send_all(pair.requester.fd.get(), out_);
}

base::Status RequestRun::take_events(int timeout_ms) {
  for (const epoll_event& event : poller_->wait(timeout_ms)) {
    const std::uint64_t tag = event.data.u64;
    const auto index = static_cast<std::size_t>(tag & ~is_responder);
    if (base::Status done = ready(index, (tag & is_responder) != 0); !done) return done;
  }
  return {};
}

base::Status RequestRun::ready(std::size_t index, bool responder) {
  Seat& seat = responder ? pairs_[index].responder : pairs_[index].requester;
  const ssize_t got = ::recv(seat.fd.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0) {
    const bool nothing = errno == EAGAIN || errno == EINTR;
    return nothing ? base::Status() : base::fail(last_error("receive"));
  }
  if (got == 0) return base::fail("the server closed a connection");
  std::string_view in(buffer_.data(), static_cast<std::size_t>(got));
  std::string joined;
  if (!seat.partial.empty()) {
    joined = std::exchange(seat.partial, {}).append(in);
    in = joined;
  }
  while (!in.empty()) {
    const NatsEvent event = read_nats_event(in);
    if (event.kind == NatsEvent::Kind::need_more) break;
    if (base::Status done = handle(index, responder, event); !done) return done;
    in.remove_prefix(event.size_bytes);
  }
  seat.partial.assign(in);
  return {};
}

base::Status RequestRun::handle(std::size_t index, bool responder, const NatsEvent& event) {
  Seat& seat = responder ? pairs_[index].responder : pairs_[index].requester;
  switch (event.kind) {
    case NatsEvent::Kind::error:
      return base::fail(std::string(event.text));
    case NatsEvent::Kind::ping:
      return send_all(seat.fd.get(), "PONG\r\n");
    case NatsEvent::Kind::message:
      break;
    default:
      return {};
  }
  if (!responder) return answered(index, event);
  out_.clear();
  wire_.append_publish(out_, event.reply, event.payload);
  return send_all(seat.fd.get(), out_);
}

base::Status RequestRun::answered(std::size_t index, const NatsEvent& event) {
  Pair& pair = pairs_[index];
  if (!pair.waiting || event.subject != fmt::format("{}{:08}", pair.inbox, pair.number)) {
    return base::fail(fmt::format("a reply on {} that nobody waits for", event.subject));
  }
  pair.waiting = false;
  ++replies_;
  latency_.record(static_cast<std::uint64_t>((Clock::now() - pair.sent_at).count()));
  return sending_ ? request(index) : base::Status();
}

}  // namespace spanwire::loadgen
