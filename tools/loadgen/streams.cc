#include "tools/loadgen/streams.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <utility>

#include "tools/loadgen/blocks.h"
#include "tools/loadgen/setting.h"

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t is_listener = std::uint64_t{1} << 32;

// The official clients' inboxes are 22 random characters; these are as long.
std::string inbox_of(std::size_t link) {
  return fmt::format("_INBOX.Ym3ZrKd8wQaXf1NuTe{:03}.", link);
}

}  // namespace

AppendRun::AppendRun(Plan plan, std::uint64_t limit)
    : ClosedLoop(std::move(plan), 1), limit_(limit), payload_(this->plan().shape.size, 'x') {}

base::Status AppendRun::open() {
  const Shape& shape = plan().shape;
  if (base::Status created = create(); !created) return created;
  if (shape.subjects > 1) order_ = shuffled(shape.subjects);
  for (std::uint32_t i = 0; i < shape.links; ++i) {
    if (base::Status done = open_link(); !done) return done;
  }
  for (std::uint32_t i = 0; i < shape.publishers; ++i) {
    publishers_.push_back({.stream = stream_name(shape, i), .subject = subject_of(shape, i)});
  }
  return {};
}

// A bucket is filled first, so that the load overwrites its keys.
base::Status AppendRun::create() {
  const Shape& shape = plan().shape;
  auto api = Api::open(plan().server);
  if (!api) return tl::unexpected(api.error());
  api_ = std::move(*api);
  if (shape.count > 0 && limit_ == UINT64_MAX) {
    before_ = shape.count;
    return fill(plan());
  }
  const auto stream = [&](std::uint64_t number) { return create_stream(shape, number); };
  if (base::Status done = api_->ask_all(shape.publishers, stream); !done) return done;
  if (shape.consumers == 0) return {};
  listener_.emplace(false, [this](const Delivery& delivery) {
    return seen(0, delivery.stream_sequence - 1, Way::delivered);
  });
  if (base::Status done = listener_->open(plan().server, only_delivery); !done) return done;
  if (shape.consumers > 1) {
    const auto subject = [&](std::uint64_t number) { return deliver_subject(shape, number); };
    if (base::Status done = listener_->subscribe(shape.consumers, subject); !done) return done;
  }
  const auto consumer = [&](std::uint64_t number) { return create_consumer(shape, 0, number); };
  if (base::Status done = api_->ask_all(shape.consumers, consumer); !done) return done;
  return poller().add(listener_->fd(), EPOLLIN, is_listener);
}

base::Status AppendRun::open_link() {
  const std::size_t number = links_.size();
  auto fd = dial(plan().server);
  if (!fd) return tl::unexpected(fd.error());
  Link link{.seat = Seat(std::move(*fd)), .inbox = inbox_of(number), .out = {}};
  const Interest interest{link.inbox + "*", ""};
  if (base::Status joined = NatsWire(false).join(link.seat.fd(), interest); !joined) return joined;
  if (base::Status added = poller().add(link.seat.fd(), EPOLLIN, number); !added) return added;
  links_.push_back(std::move(link));
  return {};
}

base::Status AppendRun::ask(std::size_t client) {
  if (sent_ == limit_) {
    stop();
    return {};
  }
  const std::size_t index = client / plan().shape.window;
  Publisher& publisher = publishers_[index];
  append_message(index, publisher.sent);
  ++publisher.sent;
  ++sent_;
  publisher.pending.push_back({.sent_at = Clock::now(), .delivered = !listener_});
  asked(1);
  return {};
}

// Publishers of one connection have each their own reply subjects: a message's number and the
// publisher's together make one number.
void AppendRun::append_message(std::size_t publisher, std::uint64_t number) {
  const Shape& shape = plan().shape;
  Link& link = links_[publisher % links_.size()];
  const std::uint64_t token = number * publishers_.size() + publisher;
  link.out.append("PUB ").append(publishers_[publisher].subject);
  if (!order_.empty()) {
    const std::uint64_t subject = subject_number(shape, order_[number % order_.size()]);
    fmt::format_to(std::back_inserter(link.out), "{:07}", subject);
  }
  fmt::format_to(std::back_inserter(link.out), " {}{} {}\r\n", link.inbox, token, payload_.size());
  link.out.append(payload_).append("\r\n");
}

base::Status AppendRun::flush() {
  for (Link& link : links_) {
    if (link.out.empty()) continue;
    if (base::Status sent = send_all(link.seat.fd(), link.out); !sent) return sent;
    link.out.clear();
  }
  return {};
}

base::Status AppendRun::ready(std::uint64_t tag) {
  if (tag == is_listener) return listener_->ready(buffer());
  Seat& seat = links_[tag].seat;
  auto in = seat.read(buffer());
  if (!in) return tl::unexpected(in.error());
  while (!in->empty()) {
    const NatsEvent event = read_headed_event(*in);
    if (event.kind == NatsEvent::Kind::need_more) break;
    if (base::Status done = handle(tag, event); !done) return done;
    in->remove_prefix(event.size_bytes);
  }
  seat.keep(*in);
  return {};
}

base::Status AppendRun::handle(std::size_t link, const NatsEvent& event) {
  switch (event.kind) {
    case NatsEvent::Kind::error:
      return base::fail(std::string(event.text));
    case NatsEvent::Kind::ping:
      links_[link].out.append("PONG\r\n");
      return {};
    case NatsEvent::Kind::message:
      return acknowledged(link, event);
    default:
      return {};
  }
}

base::Status AppendRun::acknowledged(std::size_t link, const NatsEvent& event) {
  const std::string_view token = event.subject.substr(links_[link].inbox.size());
  std::uint64_t number = 0;
  std::from_chars(token.data(), token.data() + token.size(), number);
  const std::size_t publisher = number % publishers_.size();
  number /= publishers_.size();
  const auto sequence = read_pub_ack(event.payload, publishers_[publisher].stream);
  if (!sequence) return tl::unexpected(sequence.error());
  if (*sequence != before_ + number + 1) {
    return base::fail(fmt::format("message {} of {} was given the sequence {}",
                                  before_ + number + 1, publishers_[publisher].stream, *sequence));
  }
  return seen(publisher, number, Way::acknowledged);
}

// Where messages are delivered too, their latency counts until then.
base::Status AppendRun::seen(std::size_t index, std::uint64_t number, Way way) {
  Publisher& publisher = publishers_[index];
  const std::uint64_t oldest = publisher.sent - publisher.pending.size();
  if (number < oldest || number >= publisher.sent) {
    return base::fail(fmt::format("message {} came back, but is not waited for", number));
  }
  Pending& message = publisher.pending[number - oldest];
  bool& mark = way == Way::acknowledged ? message.acknowledged : message.delivered;
  if (std::exchange(mark, true)) {
    return base::fail(fmt::format("message {} came back twice", number));
  }
  if ((way == Way::delivered) == listener_.has_value()) record(message.sent_at);
  if (!message.acknowledged || !message.delivered) return {};
  auto& pending = publisher.pending;
  while (!pending.empty() && pending.front().acknowledged && pending.front().delivered) {
    pending.pop_front();
  }
  answered();
  return again(index * plan().shape.window);
}

base::Status AppendRun::verify() {
  const Shape& shape = plan().shape;
  if (listener_) {
    if (base::Status done = listener_->fence(buffer()); !done) return done;
  }
  for (std::size_t i = 0; i < publishers_.size(); ++i) {
    const auto held = held_by(*api_, shape, i);
    if (!held) return tl::unexpected(held.error());
    const std::uint64_t wanted = before_ + publishers_[i].sent;
    const std::uint64_t messages = shape.keys ? shape.count : wanted;
    if (held->last_sequence != wanted || held->messages != messages) {
      return base::fail(fmt::format("{} holds {} messages up to {}, not {} up to {}",
                                    publishers_[i].stream, held->messages, held->last_sequence,
                                    messages, wanted));
    }
  }
  return {};
}

base::Status fill(const Plan& plan) {
  Plan filling = plan;
  filling.shape.publishers = 1;
  filling.shape.links = 1;
  filling.shape.consumers = 0;
  filling.shape.window = 256;
  filling.pids.clear();
  filling.begun.clear();
  filling.messages = UINT64_MAX;
  filling.warm_up = {};
  filling.length = std::chrono::minutes(2);
  const auto done = AppendRun(filling, plan.shape.count).run();
  return done ? base::Status() : tl::unexpected(done.error());
}

}  // namespace spanwire::loadgen
