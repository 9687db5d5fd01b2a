#include "tools/loadgen/requests.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <utility>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t is_responder = std::uint64_t{1} << 32;

// The official clients' inboxes are 22 random characters; these are as long.
std::string inbox_of(std::uint32_t number) {
  return fmt::format("_INBOX.Q7bZkW0yVtPmL3xGd{:03}.", number);
}

}  // namespace

// A request and a reply are a message each.
RequestRun::RequestRun(Plan plan)
    : ClosedLoop(std::move(plan), 2), payload_(this->plan().shape.size, 'x') {}

base::Status RequestRun::open() {
  for (std::uint32_t i = 0; i < plan().shape.publishers; ++i) {
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
    auto fd = dial(plan().server);
    if (!fd) return tl::unexpected(fd.error());
    if (base::Status joined = wire_.join(fd->get(), {filter, ""}); !joined) return joined;
    const std::uint64_t side = seat == &pair.responder ? is_responder : 0;
    if (base::Status added = poller().add(fd->get(), EPOLLIN, side | number); !added) return added;
    *seat = Seat(std::move(*fd));
  }
  pairs_.push_back(std::move(pair));
  return {};
}

base::Status RequestRun::ask(std::size_t client) {
  Pair& pair = pairs_[client];
  ++pair.number;
  asked(1);
  pair.waiting = true;
  out_.clear();
  fmt::format_to(std::back_inserter(out_), "PUB {} {}{:08} {}\r\n{}\r\n",
                 wire_.subject(static_cast<std::uint32_t>(client)), pair.inbox, pair.number,
                 payload_.size(), payload_);
  pair.sent_at = Clock::now();
  return send_all(pair.requester.fd(), out_);
}

base::Status RequestRun::ready(std::uint64_t tag) {
  const bool responder = (tag & is_responder) != 0;
  const auto index = static_cast<std::size_t>(tag & ~is_responder);
  Seat& seat = responder ? pairs_[index].responder : pairs_[index].requester;
  auto in = seat.read(buffer());
  if (!in) return tl::unexpected(in.error());
  while (!in->empty()) {
    const NatsEvent event = read_nats_event(*in);
    if (event.kind == NatsEvent::Kind::need_more) break;
    if (base::Status done = handle(index, responder, event); !done) return done;
    in->remove_prefix(event.size_bytes);
  }
  seat.keep(*in);
  return {};
}

base::Status RequestRun::handle(std::size_t index, bool responder, const NatsEvent& event) {
  Seat& seat = responder ? pairs_[index].responder : pairs_[index].requester;
  switch (event.kind) {
    case NatsEvent::Kind::error:
      return base::fail(std::string(event.text));
    case NatsEvent::Kind::ping:
      return send_all(seat.fd(), "PONG\r\n");
    case NatsEvent::Kind::message:
      break;
    default:
      return {};
  }
  if (!responder) return reply_came(index, event);
  out_.clear();
  wire_.append_publish(out_, event.reply, event.payload);
  return send_all(seat.fd(), out_);
}

base::Status RequestRun::reply_came(std::size_t index, const NatsEvent& event) {
  Pair& pair = pairs_[index];
  if (!pair.waiting || event.subject != fmt::format("{}{:08}", pair.inbox, pair.number)) {
    return base::fail(fmt::format("a reply on {} that nobody waits for", event.subject));
  }
  pair.waiting = false;
  answered();
  return finished(index, pair.sent_at);
}

}  // namespace spanwire::loadgen
