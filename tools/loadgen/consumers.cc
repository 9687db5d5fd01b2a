#include "tools/loadgen/consumers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "tools/loadgen/setting.h"
#include "tools/loadgen/streams.h"

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(5);  // without a message, a run is void
constexpr std::size_t read_bytes = std::size_t{256} * 1024;
constexpr std::string_view inbox = "_INBOX.Bv7LpEx2tGsMc5QyKz9Jw.";

}  // namespace

ConsumeRun::ConsumeRun(Plan plan) : plan_(std::move(plan)) {}

base::Result<Report> ConsumeRun::run() {
  if (base::Status opened = open(); !opened) return tl::unexpected(opened.error());
  if (base::Status warm = pass(); !warm) return tl::unexpected(warm.error());
  const std::uint64_t before = listener_->count();
  const Meter meter(plan_.pids);
  const auto stop_at = Clock::now() + plan_.length;
  const Reading begin = meter.read();
  do {
    if (base::Status done = pass(); !done) return tl::unexpected(done.error());
  } while (Clock::now() < stop_at);
  Report report;
  report.span = between(begin, meter.read());
  report.delivered = listener_->count() - before;
  report.units = report.delivered;
  report.resident_bytes = meter.resident_bytes();
  return report;
}

base::Status ConsumeRun::open() {
  buffer_.resize(read_bytes);
  if (base::Status filled = fill(plan_); !filled) return filled;
  auto api = Api::open(plan_.server);
  if (!api) return tl::unexpected(api.error());
  api_ = std::move(*api);
  const bool pulls = plan_.shape.consumer == Consumer::pull;
  listener_.emplace(pulls, nullptr);
  return listener_->open(plan_.server, pulls ? fmt::format("{}*", inbox) : only_delivery);
}

// What comes beyond the last message is seen behind the fence.
base::Status ConsumeRun::pass() {
  const Shape& shape = plan_.shape;
  const std::uint64_t before = listener_->count();
  const std::uint64_t all = before + shape.count;
  ++passes_;
  if (const auto made = api_->ask(create_consumer(shape, 0, passes_)); !made) {
    return tl::unexpected(made.error());
  }
  if (shape.consumer == Consumer::pull) {
    while (listener_->count() < all) {
      const auto batch = std::min<std::uint64_t>(shape.window, all - listener_->count());
      if (base::Status sent = pull(batch); !sent) return sent;
      if (base::Status got = receive(listener_->count() + batch); !got) return got;
    }
    if (base::Status done = await_acknowledged(); !done) return done;
  } else if (base::Status got = receive(all); !got) {
    return got;
  }
  if (const auto gone = api_->ask(delete_consumer(shape, 0, passes_)); !gone) {
    return tl::unexpected(gone.error());
  }
  if (base::Status fenced = listener_->fence(buffer_); !fenced) return fenced;
  return listener_->count() == all ? base::Status() : base::fail("more came than was asked for");
}

base::Status ConsumeRun::pull(std::uint64_t messages) {
  const Api::Request request = next_messages(plan_.shape, 0, passes_, messages);
  return send_all(listener_->fd(), fmt::format("PUB $JS.API.{} {}{} {}\r\n{}\r\n", request.subject,
                                               inbox, ++pulls_, request.body.size(), request.body));
}

base::Status ConsumeRun::receive(std::uint64_t count) {
  auto moved_at = Clock::now();
  while (listener_->count() < count) {
    const std::uint64_t before = listener_->count();
    await_input(listener_->fd());
    if (base::Status done = listener_->ready(buffer_); !done) return done;
    const auto now = Clock::now();
    if (listener_->count() > before) moved_at = now;
    if (now - moved_at > patience) {
      return base::fail(fmt::format("{} of {} messages came", listener_->count(), count));
    }
  }
  return listener_->count() == count ? base::Status() : base::fail("more came than was asked for");
}

// The server has taken in every acknowledgement when it waits for none and the last is the stream's
// last message.
base::Status ConsumeRun::await_acknowledged() {
  const auto give_up = Clock::now() + patience;
  for (;;) {
    const auto info = api_->ask(consumer_info(plan_.shape, 0, passes_));
    if (!info) return tl::unexpected(info.error());
    const auto waiting = info->root().find("num_ack_pending");
    const auto floor = info->root().find("ack_floor");
    const auto last = floor ? floor->find("stream_seq") : std::nullopt;
    if (waiting && last && waiting->uint64() == 0 && last->uint64() == plan_.shape.count) return {};
    if (Clock::now() > give_up) return base::fail("acknowledgements were not taken in");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace spanwire::loadgen
