#include "tools/loadgen/stream.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "tools/loadgen/fleet.h"

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(5);  // without a byte moved, a run is void
constexpr std::uint64_t is_subscriber = std::uint64_t{1} << 32;
constexpr std::uint64_t is_sleeper = std::uint64_t{1} << 33;
// Lines that the server sent by itself to one subscriber in one phase; it has no reason for more.
constexpr std::uint64_t max_strays = 3;
// Two blocks keep a publisher busy while their deliveries come back.
constexpr std::uint64_t min_window = std::uint64_t{128} * 1024;

std::size_t groups_of(const Shape& shape) {
  return shape.spread == Spread::pairs ? shape.publishers : 1;
}

std::uint64_t delivery_bytes_of(const Shape& shape, const Wire& wire, std::uint32_t group) {
  if (shape.wildcards > 0) return device_delivery_bytes(wire, shape.size);
  const std::string subject = shape.subjects > 1 ? wire.subject(group, 0) : wire.subject(group);
  return wire.delivery_bytes(subject, shape.size);
}

base::Status set_buffer(int fd, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0) return {};
  return base::fail(last_error("setsockopt"));
}

}  // namespace

StreamRun::StreamRun(Plan plan) : plan_(std::move(plan)), wire_(make_wire(plan_.shape)) {}

base::Result<Report> StreamRun::run() {
  if (base::Status opened = open(); !opened) return tl::unexpected(opened.error());
  if (auto warm = phase(plan_.warm_up, plan_.messages); !warm) return tl::unexpected(warm.error());
  if (base::Status done = fall_asleep(); !done) return tl::unexpected(done.error());
  const Meter meter(plan_.pids);
  const Reading begin = meter.read();
  const auto counts = phase(plan_.length, plan_.messages);
  const Reading end = meter.read();
  if (!counts) return tl::unexpected(counts.error());
  Report report;
  report.span = between(begin, end);
  report.published = counts->published;
  report.delivered = counts->delivered;
  report.units = plan_.shape.unit == Unit::delivery ? counts->delivered : counts->published;
  report.resident_bytes = meter.resident_bytes();
  report.sleepers_closed = count_closed();
  return report;
}

base::Status StreamRun::open() {
  auto poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  poller_ = std::move(*poller);
  const Shape& shape = plan_.shape;
  for (std::uint32_t i = 0; i < shape.bystanders; ++i) {
    if (base::Status done = open_bystander(i); !done) return done;
  }
  for (std::size_t i = 0; i < groups_of(shape); ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    groups_.push_back({.blocks = build_blocks(shape, *wire_, number),
                       .subscribers = {},
                       .delivery_bytes = delivery_bytes_of(shape, *wire_, number)});
  }
  // Room for all first: the poller's tags are indices, but references must stay valid too.
  subscribers_.reserve(shape.subscribers);
  publishers_.reserve(shape.publishers);
  for (std::size_t i = 0; i < shape.subscribers; ++i) {
    if (base::Status done = open_subscriber(i % groups_.size()); !done) return done;
  }
  for (std::size_t i = 0; i < shape.publishers; ++i) {
    if (base::Status done = open_publisher(i % groups_.size()); !done) return done;
  }
  for (std::uint32_t i = 0; i < shape.sleepers; ++i) {
    if (base::Status done = open_sleeper(); !done) return done;
  }
  const bool shared = shape.spread == Spread::queue || shape.subscribers == 0;
  const std::size_t receivers = shared ? 1 : shape.subscribers;
  window_ = std::max<std::uint64_t>(plan_.window / receivers, min_window);
  return {};
}

base::Status StreamRun::open_bystander(std::uint32_t number) {
  auto fd = dial(plan_.server);
  if (!fd) return tl::unexpected(fd.error());
  const std::uint32_t other_group = 900;  // nobody publishes there
  if (base::Status joined = wire_->join(fd->get(), {wire_->subject(other_group, number), ""});
      !joined) {
    return joined;
  }
  bystanders_.push_back(std::move(*fd));
  return {};
}

base::Status StreamRun::open_subscriber(std::size_t group) {
  auto fd = dial(plan_.server);
  if (!fd) return tl::unexpected(fd.error());
  const auto number = static_cast<std::uint32_t>(group);
  const Shape& shape = plan_.shape;
  Interest interest;
  interest.filter = shape.subjects > 1 ? wire_->all_subjects(number) : wire_->subject(number);
  if (shape.wildcards > 0) interest.filter.clear();
  if (shape.spread == Spread::queue) interest.queue = "workers";
  if (base::Status joined = wire_->join(fd->get(), interest); !joined) return joined;
  if (base::Status done = subscribe_fleet(fd->get(), *wire_, shape.wildcards); !done) return done;
  const std::uint64_t tag = is_subscriber | subscribers_.size();
  if (base::Status added = poller_->add(fd->get(), EPOLLIN, tag); !added) return added;
  groups_[group].subscribers.push_back(subscribers_.size());
  subscribers_.push_back({.fd = std::move(*fd), .group = group});
  return {};
}

base::Status StreamRun::open_sleeper() {
  auto fd = dial(plan_.server);
  if (!fd) return tl::unexpected(fd.error());
  if (base::Status joined = wire_->join(fd->get(), {wire_->subject(0), ""}); !joined) return joined;
  const std::uint64_t tag = is_sleeper | sleepers_.size();
  if (base::Status added = poller_->add(fd->get(), EPOLLIN, tag); !added) return added;
  sleepers_.push_back(std::move(*fd));
  return {};
}

// A small buffer, because the kernel would keep megabytes for a reader on its own machine.
base::Status StreamRun::fall_asleep() {
  for (const Fd& fd : sleepers_) {
    if (base::Status done = set_buffer(fd.get(), 4096); !done) return done;
    if (base::Status removed = poller_->remove(fd.get()); !removed) return removed;
  }
  return {};
}

std::uint32_t StreamRun::count_closed() {
  std::uint32_t closed = 0;
  for (const Fd& fd : sleepers_) {
    std::string waiting;
    // What waits would trickle through the small buffer for minutes.
    const bool open = set_buffer(fd.get(), 1 << 20) && send_all(fd.get(), wire_->fence()) &&
                      await_fence(fd.get(), *wire_, waiting);
    if (!open) ++closed;
  }
  return closed;
}

base::Status StreamRun::open_publisher(std::size_t group) {
  auto fd = dial(plan_.server);
  if (!fd) return tl::unexpected(fd.error());
  if (base::Status joined = wire_->join(fd->get(), {}); !joined) return joined;
  const std::uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
  if (base::Status added = poller_->add(fd->get(), events, publishers_.size()); !added) {
    return added;
  }
  publishers_.push_back({.fd = std::move(*fd), .group = group});
  return {};
}

base::Result<StreamRun::Counts> StreamRun::phase(base::Duration length, std::uint64_t messages) {
  published_ = 0;
  for (Group& group : groups_) group.published = 0;
  for (Subscriber& subscriber : subscribers_) subscriber.received = 0;
  const auto stop_at = Clock::now() + length;
  auto moved_at = Clock::now();
  std::uint64_t moves = moves_;
  sending_ = true;
  for (;;) {
    const auto now = Clock::now();
    if (now >= stop_at || published_ >= messages) sending_ = false;
    bool more = false;
    for (Publisher& publisher : publishers_) more = pump(publisher) || more;
    if (!broken_) return tl::unexpected(broken_.error());
    if (!sending_ && drained()) break;
    if (base::Status taken = take_events(more ? 0 : 100); !taken) {
      return tl::unexpected(taken.error());
    }
    if (std::exchange(moves, moves_) != moves_) moved_at = now;
    if (now - moved_at > patience) return base::fail("deliveries are missing: nothing moves");
  }
  if (base::Status done = await_publishers(); !done) return tl::unexpected(done.error());
  return verify();
}

// Sends the rest of a block, or a new one if the window lets it; true if another may follow.
bool StreamRun::pump(Publisher& publisher) {
  if (!publisher.writable) return false;
  Group& group = groups_[publisher.group];
  const Block& block = group.blocks[publisher.block];
  if (publisher.offset == 0 && (!sending_ || !window_open(group, block))) return false;
  const std::string_view rest = std::string_view(block.bytes).substr(publisher.offset);
  const ssize_t sent =
      ::send(publisher.fd.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EINTR) return true;
    publisher.writable = false;
    if (errno != EAGAIN) broken_ = base::fail(last_error("publish"));
    return false;
  }
  ++moves_;
  publisher.offset += static_cast<std::size_t>(sent);
  if (publisher.offset < block.bytes.size()) {
    publisher.writable = false;  // until the edge that epoll reports when there is room again
    return false;
  }
  publisher.offset = 0;
  publisher.block = (publisher.block + 1) % group.blocks.size();
  group.published += block.messages;
  published_ += block.messages;
  return true;
}

std::uint64_t StreamRun::received_by(const Group& group) const {
  std::uint64_t least = UINT64_MAX;
  std::uint64_t sum = 0;
  for (const std::size_t index : group.subscribers) {
    const std::uint64_t received = subscribers_[index].received;
    least = std::min(least, received);
    sum += received;
  }
  return plan_.shape.spread == Spread::queue ? sum : least;
}

bool StreamRun::window_open(const Group& group, const Block& block) const {
  if (group.subscribers.empty()) return true;  // the server's own reading is the limit
  const std::uint64_t received = received_by(group);
  const std::uint64_t sent = group.published * group.delivery_bytes;
  return received >= sent || sent - received + (block.messages * group.delivery_bytes) <= window_;
}

bool StreamRun::drained() const {
  const bool begun = std::ranges::any_of(
      publishers_, [](const Publisher& publisher) { return publisher.offset > 0; });
  return !begun && std::ranges::all_of(groups_, [this](const Group& group) {
    return received_by(group) >= group.published * group.delivery_bytes;
  });
}

base::Status StreamRun::take_events(int timeout_ms) {
  for (const epoll_event& event : poller_->wait(timeout_ms)) {
    const std::uint64_t tag = event.data.u64;
    const auto index = static_cast<std::size_t>(tag & ~(is_subscriber | is_sleeper));
    if ((tag & is_sleeper) != 0) {
      if (const auto bytes = discard(sleepers_[index].get()); !bytes) {
        return tl::unexpected(bytes.error());
      }
      continue;
    }
    base::Status done = (tag & is_subscriber) != 0
                            ? subscriber_ready(subscribers_[index])
                            : publisher_ready(publishers_[index], event.events);
    if (!done) return done;
  }
  return {};
}

base::Status StreamRun::publisher_ready(Publisher& publisher, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) publisher.writable = true;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return {};
  std::array<char, 4096> buffer;
  const ssize_t got = ::recv(publisher.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    return errno == EAGAIN ? base::Status() : base::fail(last_error("publisher"));
  }
  if (got == 0) return base::fail("the server closed a publisher");
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  if (text.starts_with("-ERR")) return base::fail(std::string(text.substr(0, text.find('\r'))));
  return {};
}

// MSG_TRUNC lets the kernel count the bytes and drop them: what a real subscriber would pay for the
// copy is not the server's cost.
base::Result<std::uint64_t> StreamRun::discard(int fd) {
  const ssize_t got = ::recv(fd, nullptr, std::size_t{1} << 30, MSG_TRUNC | MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    return base::fail(last_error("subscriber"));
  }
  if (got == 0) return base::fail("the server closed a subscriber");
  ++moves_;
  return static_cast<std::uint64_t>(got);
}

base::Status StreamRun::subscriber_ready(Subscriber& subscriber) {
  const auto bytes = discard(subscriber.fd.get());
  if (!bytes) return tl::unexpected(bytes.error());
  subscriber.received += *bytes;
  return {};
}

base::Status StreamRun::await_publishers() {
  for (const Publisher& publisher : publishers_) {
    if (base::Status sent = send_all(publisher.fd.get(), wire_->fence()); !sent) return sent;
  }
  for (const Publisher& publisher : publishers_) {
    std::string answer;
    if (base::Status done = await_fence(publisher.fd.get(), *wire_, answer); !done) return done;
  }
  return {};
}

base::Result<StreamRun::Counts> StreamRun::verify() {
  Counts counts{.published = published_};
  const bool shared = plan_.shape.spread == Spread::queue;
  for (const Group& group : groups_) {
    std::uint64_t together = 0;
    for (const std::size_t index : group.subscribers) {
      const auto messages = messages_of(subscribers_[index]);
      if (!messages) return tl::unexpected(messages.error());
      if (!shared && *messages != group.published) {
        return base::fail(
            fmt::format("a subscriber got {} of {} messages", *messages, group.published));
      }
      together += *messages;
    }
    if (shared && together != group.published) {
      return base::fail(
          fmt::format("a queue group got {} of {} messages", together, group.published));
    }
    counts.delivered += together;
  }
  return counts;
}

base::Result<std::uint64_t> StreamRun::messages_of(Subscriber& subscriber) {
  if (base::Status sent = send_all(subscriber.fd.get(), wire_->fence()); !sent) {
    return tl::unexpected(sent.error());
  }
  std::string rest;
  if (base::Status done = await_fence(subscriber.fd.get(), *wire_, rest); !done) {
    return tl::unexpected(done.error());
  }
  const std::uint64_t each = groups_[subscriber.group].delivery_bytes;
  const std::uint64_t bytes = subscriber.received + rest.size() - wire_->fence_answer().size();
  const std::uint64_t over = bytes % each;
  const std::size_t stray = wire_->stray().size();
  const bool adds_up = over == 0 || (stray > 0 && over % stray == 0 && over / stray <= max_strays);
  if (!adds_up) return base::fail(fmt::format("{} bytes are no whole number of messages", bytes));
  return bytes / each;
}

}  // namespace spanwire::loadgen
