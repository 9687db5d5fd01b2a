// Pull requests of a consumer.
#include <fmt/format.h>

#include <algorithm>

#include "jetstream/consumer.h"
#include "jetstream/go_time.h"
#include "jetstream/stream.h"

namespace spanwire::jetstream {

void Consumer::pull(std::string_view reply, std::string_view body) {
  if (reply.empty()) return;
  mark();
  if (!config_.is_pull()) return say_status(reply, "409 Consumer is push based");
  const auto request = parse_pull_request(body);
  if (!request) return say_status(reply, "400 " + request.error());
  if (const auto refused = refusal_of(*request)) {
    if (refused->told) say_status(reply, refused->status);
    return;
  }
  last_request_ = now();
  PullWaiting waiting;
  waiting.reply = reply;
  waiting.left = static_cast<std::uint64_t>(request->batch);
  waiting.limits_bytes = request->max_bytes > 0;
  waiting.bytes_left = static_cast<std::uint64_t>(std::max<std::int64_t>(request->max_bytes, 0));
  waiting.no_wait = request->no_wait;
  if (request->expires != base::Duration::zero()) waiting.expires = now() + request->expires;
  waiting.heartbeat = request->idle_heartbeat;
  waiting.next_heartbeat = now() + request->idle_heartbeat;
  requests_.add(std::move(waiting));
}

std::optional<Consumer::Refusal> Consumer::refusal_of(const PullRequest& request) {
  if (config_.max_batch > 0 && request.batch > config_.max_batch) {
    return Refusal{fmt::format("409 Exceeded MaxRequestBatch of {}", config_.max_batch)};
  }
  if (config_.max_expires > base::Duration::zero() && request.expires > config_.max_expires) {
    return Refusal{
        fmt::format("409 Exceeded MaxRequestExpires of {}", go_duration_text(config_.max_expires))};
  }
  if (config_.max_bytes > 0 && request.max_bytes > config_.max_bytes) {
    return Refusal{fmt::format("409 Exceeded MaxRequestMaxBytes of {}", config_.max_bytes)};
  }
  if (const std::string_view refused = refused_priority(request); !refused.empty()) {
    return Refusal{fmt::format("400 {}", refused)};
  }
  if (request.no_wait && counted()) {
    const std::uint64_t there = pending() + unacknowledged_.queued_count();
    if (there == 0 && request.expires <= base::Duration::zero()) {
      last_request_ = now();
      return Refusal{"404 No Messages"};
    }
    if (there != 0 && there < requests_.wanted()) return Refusal{"408 Requests Pending"};
  }
  if (!requests_.full()) return std::nullopt;
  // A client with heartbeats misses them and asks again; told at once it would ask at once.
  const bool told = request.idle_heartbeat <= base::Duration::zero();
  return Refusal{.status = "409 Exceeded MaxWaiting", .told = told};
}

void Consumer::attach(Taker& taker) {
  takers_.push_back(&taker);
  mark();
}

void Consumer::detach(Taker& taker) {
  std::erase(takers_, &taker);
  requests_.filter([&taker](const PullWaiting& request) { return request.taker != &taker; });
  last_request_ = now();
}

void Consumer::grant(Taker& taker, std::uint64_t messages) {
  bool waits = false;
  requests_.filter([&](PullWaiting& request) {
    if (request.taker == &taker) {
      request.left += messages;
      waits = true;
    }
    return true;
  });
  if (!waits && messages != 0) {
    PullWaiting waiting;
    waiting.taker = &taker;
    waiting.left = messages;
    requests_.add(std::move(waiting));
  }
  mark();
}

void Consumer::say_status(std::string_view to, std::string_view status) {
  said_.push_back({std::string(to), fmt::format("NATS/1.0 {}\r\n\r\n", status), {}});
}

void Consumer::say_status(const PullWaiting& request, std::string_view status) {
  said_.push_back(
      {request.reply,
       fmt::format("NATS/1.0 {}\r\nNats-Pending-Messages: {}\r\nNats-Pending-Bytes: {}\r\n\r\n",
                   status, request.left, request.bytes_left),
       {}});
}

void Consumer::settle_requests(bool at_end) {
  if (requests_.empty()) return;
  requests_.filter([&](PullWaiting& request) { return keep_request(request, at_end); });
  arm_requests();
}

bool Consumer::keep_request(PullWaiting& request, bool at_end) {
  if (request.taker != nullptr) return true;
  if (request.expires && *request.expires <= now()) {
    say_status(request, "408 Request Timeout");
    return false;
  }
  if (at_end && request.no_wait && (!request.expires || request.delivered != 0)) {
    say_status(request.reply, "404 No Messages");
    return false;
  }
  if (!stream_.branch().seat().interested(request.reply)) return false;
  if (request.heartbeat > base::Duration::zero() && request.next_heartbeat <= now()) {
    say_heartbeat(request.reply);
    request.next_heartbeat = now() + request.heartbeat;
  }
  return true;
}

void Consumer::arm_requests() {
  base::Loop& loop = stream_.branch().loop();
  loop.cancel_timer(request_timer_);
  request_timer_ = base::TimerId::none;
  const auto next = requests_.next_event();
  if (!next || !started_) return;
  const base::Duration delay =
      std::max<base::Duration>(*next - now(), std::chrono::milliseconds(1));
  request_timer_ = loop.start_timer(delay, lifeline_.bind([this] {
    request_timer_ = base::TimerId::none;
    // Who does not wait has waited long enough, also for others' acknowledgements: nats-server's
    // way to end a request that has had some messages.
    settle_requests(true);
    speak();
    mark();
  }));
}

// The request that may take a message of so many bytes; those that cannot are ended.
const PullWaiting* Consumer::choose_request(std::size_t bytes) {
  while (!requests_.empty()) {
    PullWaiting& request = requests_.front();
    if (request.taker != nullptr) return &request;
    if (request.expires && *request.expires <= now()) {
      say_status(request, "408 Request Timeout");
    } else if (request.limits_bytes && bytes > request.bytes_left) {
      say_status(request, "409 Message Size Exceeds MaxBytes");
    } else {
      return &request;
    }
    requests_.drop_front();
  }
  return nullptr;
}

// The first request has got one.
void Consumer::served_request(std::size_t bytes) {
  PullWaiting& request = requests_.front();
  if (request.limits_bytes) {
    request.bytes_left -= bytes;
    if (request.bytes_left == 0) request.left = 1;
  }
  if (request.left != 0) --request.left;
  ++request.delivered;
  last_request_ = now();
  if (request.left != 0) {
    request.next_heartbeat = now() + request.heartbeat;
    requests_.rotate();
    return;
  }
  if (request.limits_bytes && request.bytes_left != 0) {
    said_.push_back({request.reply,
                     fmt::format("NATS/1.0 409 Batch Completed\r\nNats-Pending-Messages: {}\r\n"
                                 "Nats-Pending-Bytes: {}\r\n\r\n",
                                 request.left, request.bytes_left),
                     {}});
  }
  requests_.drop_front();
}

}  // namespace spanwire::jetstream
