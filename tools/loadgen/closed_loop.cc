#include "tools/loadgen/closed_loop.h"

#include <fmt/core.h>

#include <chrono>
#include <fstream>
#include <utility>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

// Without an answer for so long a run is void; a disk that others write to may hold up for longer.
base::Duration patience_with(const Shape& shape) {
  return std::chrono::seconds(shape.protocol == Protocol::streams ? 30 : 5);
}

constexpr std::size_t read_bytes = std::size_t{64} * 1024;

}  // namespace

base::Result<Report> ClosedLoop::run() {
  if (base::Status started = start(); !started) return tl::unexpected(started.error());
  if (!plan_.begun.empty()) std::ofstream(plan_.begun).put('\n');
  if (base::Status warm = phase(plan_.warm_up); !warm) return tl::unexpected(warm.error());
  latency_ = Histogram();
  const Meter meter(plan_.pids);
  const Reading begin = meter.read();
  const base::Status done = phase(plan_.length);
  const Reading end = meter.read();
  if (!done) return tl::unexpected(done.error());
  Report report;
  report.span = between(begin, end);
  report.published = messages_ * requests_;
  report.delivered = messages_ * answers_;
  report.units = report.published;
  report.resident_bytes = meter.resident_bytes();
  report.latency = latency_;
  if (base::Status checked = verify(); !checked) return tl::unexpected(checked.error());
  return report;
}

base::Status ClosedLoop::start() {
  auto poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  poller_ = std::move(*poller);
  buffer_.resize(read_bytes);
  return open();
}

base::Status ClosedLoop::phase(base::Duration length) {
  requests_ = 0;
  answers_ = 0;
  sending_ = true;
  const auto stop_at = Clock::now() + length;
  for (std::size_t i = 0; i < clients(); ++i) {
    if (base::Status sent = ask(i); !sent) return sent;
  }
  if (base::Status sent = flush(); !sent) return sent;
  auto moved_at = Clock::now();
  std::uint64_t answers = 0;
  while (sending_ || answers_ < requests_) {
    for (const epoll_event& event : poller_->wait(100)) {
      if (base::Status done = ready(event.data.u64); !done) return done;
    }
    if (base::Status sent = flush(); !sent) return sent;
    const auto now = Clock::now();
    if (now >= stop_at || requests_ >= plan_.messages) sending_ = false;
    if (std::exchange(answers, answers_) != answers_) moved_at = now;
    if (now - moved_at > patience_with(plan_.shape)) {
      return base::fail(
          fmt::format("{} of {} requests were not answered", requests_ - answers_, requests_));
    }
  }
  return {};
}

void ClosedLoop::record(base::Time sent_at) {
  latency_.record(static_cast<std::uint64_t>((Clock::now() - sent_at).count()));
}

base::Status ClosedLoop::finished(std::size_t client, base::Time sent_at) {
  record(sent_at);
  return again(client);
}

}  // namespace spanwire::loadgen
