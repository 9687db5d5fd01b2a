#include "tools/loadgen/paced.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t is_subscriber = std::uint64_t{1} << 32;
constexpr std::size_t read_bytes = std::size_t{256} * 1024;
constexpr std::size_t max_pending = std::size_t{64} * 1024 * 1024;
constexpr auto patience = std::chrono::seconds(5);

// The time a message was due stands at the front of its payload, in digits no protocol minds.
constexpr std::size_t stamp_bytes = 16;

void write_stamp(std::string& payload, std::uint64_t due_ns) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = stamp_bytes; i > 0; --i, due_ns >>= 4) payload[i - 1] = digits[due_ns & 15U];
}

std::uint64_t read_stamp(std::string_view payload) {
  std::uint64_t value = 0;
  for (const char c : payload.substr(0, stamp_bytes)) {
    const auto digit = static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    value = (value << 4) | digit;
  }
  return value;
}

std::uint64_t ns_of(base::Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

PacedRun::PacedRun(Plan plan) : plan_(std::move(plan)), wire_(make_wire(plan_.shape)) {}

base::Result<Report> PacedRun::run() {
  if (base::Status opened = open(); !opened) return tl::unexpected(opened.error());
  if (base::Status warm = phase(plan_.warm_up); !warm) return tl::unexpected(warm.error());
  latency_ = Histogram();
  lag_ = Histogram();
  const Meter meter(plan_.pids);
  const Reading begin = meter.read();
  const base::Status done = phase(plan_.length);
  const Reading end = meter.read();
  if (!done) return tl::unexpected(done.error());
  Report report;
  report.span = between(begin, end);
  report.published = sent_;
  report.delivered = received_;
  report.units = sent_;
  report.resident_bytes = meter.resident_bytes();
  report.latency = latency_;
  report.lag = lag_;
  return report;
}

base::Status PacedRun::open() {
  auto poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  poller_ = std::move(*poller);
  buffer_.resize(read_bytes);
  const Shape& shape = plan_.shape;
  if (shape.size < stamp_bytes) return base::fail("a paced message has room for 16 digits");
  subscribers_.reserve(shape.subscribers);
  for (std::uint32_t i = 0; i < shape.subscribers; ++i) {
    auto fd = join({wire_->subject(i), ""}, is_subscriber | i);
    if (!fd) return tl::unexpected(fd.error());
    subscribers_.emplace_back(std::move(*fd));
  }
  for (std::uint32_t i = 0; i < shape.publishers; ++i) {
    auto fd = join({}, i);
    if (!fd) return tl::unexpected(fd.error());
    publishers_.push_back({.fd = std::move(*fd), .subject = wire_->subject(i), .pending = {}});
  }
  const std::string subject = wire_->subject(0);
  delivery_bytes_ = wire_->delivery_bytes(subject, shape.size);
  payload_offset_ = wire_->payload_offset(subject, shape.size);
  return {};
}

base::Result<Fd> PacedRun::join(const Interest& interest, std::uint64_t tag) {
  auto fd = dial(plan_.server);
  if (!fd) return fd;
  if (base::Status joined = wire_->join(fd->get(), interest); !joined) {
    return tl::unexpected(joined.error());
  }
  if (base::Status added = poller_->add(fd->get(), EPOLLIN, tag); !added) {
    return tl::unexpected(added.error());
  }
  return fd;
}

base::Status PacedRun::phase(base::Duration length) {
  const double seconds = std::chrono::duration<double>(length).count();
  planned_ = static_cast<std::uint64_t>(seconds * static_cast<double>(plan_.shape.rate));
  sent_ = 0;
  received_ = 0;
  began_ = Clock::now();
  const auto give_up = began_ + length + patience;
  while (received_ < planned_) {
    const auto now = Clock::now();
    if (now > give_up) {
      return base::fail(fmt::format("{} of {} messages arrived", received_, planned_));
    }
    if (base::Status sent = send_due(now); !sent) return sent;
    if (base::Status taken = take_events(); !taken) return taken;
  }
  return {};
}

// A message is due every 1/rate seconds; the publishers take turns. What is due to one publisher at
// once leaves in one write, as a program that woke up late would send it.
base::Status PacedRun::send_due(base::Time now) {
  const double interval_ns = 1e9 / static_cast<double>(plan_.shape.rate);
  const double elapsed_ns = static_cast<double>((now - began_).count());
  const auto due = std::min(planned_, static_cast<std::uint64_t>(elapsed_ns / interval_ns));
  std::string payload(plan_.shape.size, 'x');
  for (; sent_ < due; ++sent_) {
    const auto offset_ns = static_cast<std::uint64_t>(static_cast<double>(sent_ + 1) * interval_ns);
    const std::uint64_t due_ns = ns_of(began_) + offset_ns;
    const std::uint64_t now_ns = ns_of(now);
    lag_.record(now_ns > due_ns ? now_ns - due_ns : 0);
    write_stamp(payload, due_ns);
    Publisher& publisher = publishers_[sent_ % publishers_.size()];
    wire_->append_publish(publisher.pending, publisher.subject, payload);
  }
  for (Publisher& publisher : publishers_) {
    if (base::Status done = flush(publisher); !done) return done;
  }
  return {};
}

base::Status PacedRun::flush(Publisher& publisher) {
  if (publisher.pending.empty()) return {};
  const ssize_t sent = ::send(publisher.fd.get(), publisher.pending.data(),
                              publisher.pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return base::fail(last_error("publish"));
  if (sent > 0) publisher.pending.erase(0, static_cast<std::size_t>(sent));
  if (publisher.pending.size() > max_pending) return base::fail("the server does not keep up");
  return {};
}

// Never sleeps: a wake-up would be added to the latency that is measured.
base::Status PacedRun::take_events() {
  for (const epoll_event& event : poller_->wait(0)) {
    const std::uint64_t tag = event.data.u64;
    if ((tag & is_subscriber) != 0) {
      const auto index = static_cast<std::size_t>(tag & ~is_subscriber);
      if (base::Status done = receive(subscribers_[index]); !done) return done;
      continue;
    }
    std::string text;
    if (base::Status got = receive_some(publishers_[tag].fd.get(), text); !got) return got;
    if (text.starts_with("-ERR")) return base::fail(text);
  }
  return {};
}

base::Status PacedRun::receive(Seat& subscriber) {
  auto in = subscriber.read(buffer_);
  if (!in) return tl::unexpected(in.error());
  if (base::Status done = take_deliveries(*in); !done) return done;
  subscriber.keep(*in);
  return {};
}

base::Status PacedRun::take_deliveries(std::string_view& in) {
  const std::uint64_t now_ns = ns_of(Clock::now());
  const std::string_view stray = wire_->stray();
  while (in.size() >= std::max<std::size_t>(stray.size(), 1)) {
    if (!stray.empty() && in.starts_with(stray)) {
      in.remove_prefix(stray.size());
      continue;
    }
    if (in.size() < delivery_bytes_) break;
    const std::uint64_t due_ns = read_stamp(in.substr(payload_offset_));
    // A stamp from the future or from before the phase is not one of ours.
    if (due_ns > now_ns || due_ns < ns_of(began_)) return base::fail("a delivery is not as sent");
    latency_.record(now_ns - due_ns);
    in.remove_prefix(delivery_bytes_);
    ++received_;
  }
  return {};
}

}  // namespace spanwire::loadgen
