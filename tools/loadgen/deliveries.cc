#include "tools/loadgen/deliveries.h"

#include <fmt/format.h>
#include <poll.h>

#include <chrono>
#include <iterator>
#include <utility>

namespace spanwire::loadgen {

base::Status Deliveries::take(std::string_view& in, std::string& answers) {
  while (!in.empty()) {
    const NatsEvent event = read_headed_event(in);
    if (event.kind == NatsEvent::Kind::need_more) break;
    if (event.kind == NatsEvent::Kind::error) return base::fail(std::string(event.text));
    if (event.kind == NatsEvent::Kind::other && in.starts_with("PONG")) ++fences_;
    if (event.kind == NatsEvent::Kind::ping) answers.append("PONG\r\n");
    if (event.kind == NatsEvent::Kind::message) {
      const bool status = status_of(event.headers) != 0;
      base::Status done = status ? take_status(event, answers) : take_message(event, answers);
      if (!done) return done;
    }
    in.remove_prefix(event.size_bytes);
  }
  return {};
}

base::Status Deliveries::take_message(const NatsEvent& event, std::string& answers) {
  const auto delivery = read_delivery(event.reply);
  if (!delivery) return base::fail(fmt::format("a delivery with the reply '{}'", event.reply));
  auto found = consumers_.find(delivery->consumer);
  if (found == consumers_.end()) found = consumers_.emplace(delivery->consumer, Last{}).first;
  Last& last = found->second;
  if (delivery->times != 1 || delivery->consumer_sequence != last.consumer_sequence + 1 ||
      delivery->stream_sequence <= last.stream_sequence) {
    return base::fail(fmt::format("after {} of {}, {} came as {} {} times", last.stream_sequence,
                                  last.consumer_sequence, delivery->stream_sequence,
                                  delivery->consumer_sequence, delivery->times));
  }
  last = {.stream_sequence = delivery->stream_sequence,
          .consumer_sequence = delivery->consumer_sequence};
  ++count_;
  if (acknowledge_) {
    fmt::format_to(std::back_inserter(answers), "PUB {} 4\r\n+ACK\r\n", event.reply);
  }
  return taken_ ? taken_(*delivery) : base::Status();
}

// Status 100 is flow control, which waits for an answer, or a heartbeat, which may name a subject
// to answer to when flow control has stalled.
base::Status Deliveries::take_status(const NatsEvent& event, std::string& answers) const {
  if (status_of(event.headers) != 100) {
    return base::fail(std::string(event.headers.substr(0, event.headers.find("\r\n"))));
  }
  const std::string_view stalled = header_value(event.headers, "Nats-Consumer-Stalled");
  const std::string_view subject = event.reply.empty() ? stalled : event.reply;
  if (!subject.empty()) fmt::format_to(std::back_inserter(answers), "PUB {} 0\r\n\r\n", subject);
  return {};
}

base::Status Listener::open(const Endpoint& server, std::string_view filter) {
  auto fd = dial(server);
  if (!fd) return tl::unexpected(fd.error());
  seat_ = Seat(std::move(*fd));
  return NatsWire(false).join(seat_.fd(), {std::string(filter), ""});
}

base::Status Listener::subscribe(std::uint64_t count,
                                 const std::function<std::string(std::uint64_t)>& subject) {
  const auto append = [&](std::string& out, std::uint64_t number) {
    fmt::format_to(std::back_inserter(out), "SUB {} {}\r\n", subject(number), number + 2);
  };
  return subscribe_many(seat_.fd(), NatsWire(false), count, append);
}

base::Status Listener::ready(std::string& buffer) {
  auto in = seat_.read(buffer);
  if (!in) return tl::unexpected(in.error());
  answers_.clear();
  if (base::Status taken = deliveries_.take(*in, answers_); !taken) return taken;
  seat_.keep(*in);
  return answers_.empty() ? base::Status() : send_all(seat_.fd(), answers_);
}

base::Status Listener::fence(std::string& buffer) {
  const std::uint64_t passed = deliveries_.fences();
  if (base::Status sent = send_all(seat_.fd(), "PING\r\n"); !sent) return sent;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (deliveries_.fences() == passed) {
    if (std::chrono::steady_clock::now() > give_up) return base::fail("a PING was not answered");
    await_input(seat_.fd());
    if (base::Status done = ready(buffer); !done) return done;
  }
  return {};
}

void await_input(int fd) {
  pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
  ::poll(&input, 1, 100);
}

}  // namespace spanwire::loadgen
