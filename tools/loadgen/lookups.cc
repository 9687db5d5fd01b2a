#include "tools/loadgen/lookups.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include "tools/loadgen/blocks.h"
#include "tools/loadgen/setting.h"
#include "tools/loadgen/streams.h"

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view inbox = "_INBOX.Wd6CjRu3nAhFo8PiSv1Xq.";

}  // namespace

LookupRun::LookupRun(Plan plan)
    : ClosedLoop(std::move(plan), 1), places_(this->plan().shape.window) {}

base::Status LookupRun::open() {
  if (base::Status filled = fill(plan()); !filled) return filled;
  order_ = shuffled(plan().shape.subjects);
  auto fd = dial(plan().server);
  if (!fd) return tl::unexpected(fd.error());
  seat_ = Seat(std::move(*fd));
  base::Status joined = NatsWire(false).join(seat_.fd(), {fmt::format("{}*", inbox), ""});
  return joined ? poller().add(seat_.fd(), EPOLLIN, 0) : joined;
}

base::Status LookupRun::ask(std::size_t client) {
  const Shape& shape = plan().shape;
  Place& place = places_[client];
  place.token = number_ * places_.size() + client;
  place.subject = fmt::format("{}{:07}", subject_of(shape, 0), order_[number_ % order_.size()]);
  place.waiting = true;
  ++number_;
  fmt::format_to(std::back_inserter(out_), "PUB $JS.API.DIRECT.GET.{}.{} {}{} 0\r\n\r\n",
                 stream_name(shape, 0), place.subject, inbox, place.token);
  place.sent_at = Clock::now();
  asked(1);
  return {};
}

base::Status LookupRun::flush() {
  if (out_.empty()) return {};
  base::Status sent = send_all(seat_.fd(), out_);
  out_.clear();
  return sent;
}

base::Status LookupRun::ready(std::uint64_t /*tag*/) {
  auto in = seat_.read(buffer());
  if (!in) return tl::unexpected(in.error());
  while (!in->empty()) {
    const NatsEvent event = read_headed_event(*in);
    if (event.kind == NatsEvent::Kind::need_more) break;
    if (base::Status done = handle(event); !done) return done;
    in->remove_prefix(event.size_bytes);
  }
  seat_.keep(*in);
  return {};
}

base::Status LookupRun::handle(const NatsEvent& event) {
  switch (event.kind) {
    case NatsEvent::Kind::error:
      return base::fail(std::string(event.text));
    case NatsEvent::Kind::ping:
      out_.append("PONG\r\n");
      return {};
    case NatsEvent::Kind::message:
      return value_came(event);
    default:
      return {};
  }
}

base::Status LookupRun::value_came(const NatsEvent& event) {
  std::uint64_t token = 0;
  const std::string_view digits = event.subject.substr(inbox.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), token);
  Place& place = places_[token % places_.size()];
  if (!std::exchange(place.waiting, false) || place.token != token) {
    return base::fail(fmt::format("an answer on {} that nobody waits for", event.subject));
  }
  if (status_of(event.headers) != 0 || event.payload.size() != plan().shape.size ||
      header_value(event.headers, "Nats-Subject") != place.subject) {
    return base::fail(fmt::format("{} is not the value of {}", event.headers, place.subject));
  }
  answered();
  return finished(token % places_.size(), place.sent_at);
}

}  // namespace spanwire::loadgen
