#include "streams/calls.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "bus/headers.h"

namespace spanwire::streams {

void Calls::call(std::string_view stream, Company company, Request request, Then then) {
  Call call;
  call.stream = stream;
  call.company = company;
  call.bytes = request.headers.size() + request.payload.size();
  call.request = std::move(request);
  call.then = std::move(then);
  const Id id = add(std::move(call));
  if (stream.empty()) return send(id);
  const std::string key(stream);
  lanes_[key].waiting.push_back(id);
  pump(key);
}

Calls::Id Calls::add(Call call) {
  const Id id = ++last_id_;
  calls_.emplace(id, std::move(call));
  deadlines_.push_back({.at = loop_.now() + timeout_, .id = id});
  arm();
  return id;
}

void Calls::send(Id id) {
  Call& call = calls_.find(id)->second;
  call.sent = true;
  const Request request = std::move(call.request);
  const std::string reply = fmt::format("{}.{}", link_.inbox(), id);
  if (link_.publish(request.subject, reply, request.headers, request.payload)) return;
  loop_.post(lifeline_.bind([this, id] { end(id, {.kind = Reply::Kind::full}); }));
}

// Sends what may go now.
void Calls::pump(const std::string& stream) {
  const auto found = lanes_.find(stream);
  Lane& lane = found->second;
  while (!lane.waiting.empty()) {
    const Id id = lane.waiting.front();
    const auto call = calls_.find(id);
    if (call != calls_.end()) {
      if (!lane.takes(call->second.company)) return;
      lane.company = call->second.company;
      lane.bytes += call->second.bytes;
      ++lane.under_way;
      send(id);
    }
    lane.waiting.pop_front();
  }
  if (lane.under_way == 0) lanes_.erase(found);
}

void Calls::on_answer(std::string_view token, const bus::MessageView& message) {
  Id id = 0;
  const auto [end_of_number, error] =
      std::from_chars(token.data(), token.data() + token.size(), id);
  if (error != std::errc{} || end_of_number != token.data() + token.size()) return;
  const auto status = bus::read_status(message.headers);
  if (status && status->code == 503 && message.payload.empty()) {
    return end(id, {.kind = Reply::Kind::nobody});
  }
  end(id, {.kind = Reply::Kind::message, .message = &message});
}

void Calls::end(Id id, const Reply& reply) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  Call call = std::move(found->second);
  calls_.erase(found);
  const auto alive = lifeline_.watch();
  std::optional<Request> next = call.then(reply);
  if (alive.expired()) return;  // whoever was called has destroyed the client
  forget_deadlines();
  if (next && call.sent) {
    call.request = std::move(*next);
    return send(add(std::move(call)));
  }
  if (call.stream.empty()) return;
  if (call.sent) {
    Lane& lane = lanes_.find(call.stream)->second;
    lane.bytes -= call.bytes;
    --lane.under_way;
  }
  pump(call.stream);
}

void Calls::forget_deadlines() {
  while (!deadlines_.empty() && !calls_.contains(deadlines_.front().id)) deadlines_.pop_front();
}

void Calls::arm() {
  if (timer_ != base::TimerId::none || deadlines_.empty()) return;
  timer_ = loop_.start_timer(deadlines_.front().at - loop_.now(), [this] { on_time(); });
}

void Calls::on_time() {
  timer_ = base::TimerId::none;
  const auto alive = lifeline_.watch();
  while (!deadlines_.empty() && deadlines_.front().at <= loop_.now()) {
    const Id id = deadlines_.front().id;
    deadlines_.pop_front();
    end(id, {.kind = Reply::Kind::late});
    if (alive.expired()) return;
  }
  arm();
}

}  // namespace spanwire::streams
