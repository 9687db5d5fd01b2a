#include "jetstream/seat.h"

#include "base/assert.h"

namespace spanwire::jetstream {
namespace {

bus::MessageView view_of(const Outgoing& message) {
  bus::MessageView view;
  view.route = message.route;
  view.subject = message.shown.empty() ? message.route : message.shown;
  view.reply = message.reply;
  view.headers = message.headers;
  view.payload = message.payload;
  return view;
}

}  // namespace

Seat::Seat(wire::Services& services, base::Ref<const account::Principal> principal)
    : principal_(std::move(principal)),
      port_(services.open(principal_, *this, nullptr, {.maps = false, .counted = false})) {}

Seat::~Seat() = default;

base::SubId Seat::listen(const subject::Filter& filter, Listener& listener) {
  return subscribe(filter, {}, listener);
}

base::SubId Seat::capture(const subject::Filter& filter, Listener& listener) {
  return subscribe(filter, {.durable = true}, listener);
}

base::SubId Seat::listen_in_group(const subject::Filter& filter, std::string_view queue,
                                  Listener& listener) {
  return subscribe(filter, {.queue = queue}, listener);
}

base::SubId Seat::subscribe(const subject::Filter& filter, bus::SubOptions options,
                            Listener& listener) {
  options.tag = reinterpret_cast<std::uintptr_t>(&listener);
  const auto sub = port_->subscribe(filter, options);
  BASE_ASSERT(sub);  // this principal may do everything
  return *sub;
}

std::uint32_t Seat::publish(const Outgoing& message) {
  bus::MessageView view = view_of(message);
  const auto admitted = port_->admit(view);
  if (!admitted) return 0;  // a reply subject that no wire could tell from something else
  const bus::Routed routed = port_->route(*admitted);
  pressed_ = routed.pressure;
  return routed.targets;
}

bool Seat::publish(const Outgoing& message, bus::Receipts::Answered done) {
  bus::MessageView view = view_of(message);
  const auto admitted = port_->admit(view);
  if (!admitted) return false;
  const bus::Routed routed = port_->publish(*admitted, std::move(done));
  pressed_ = routed.pressure;
  return routed.awaited;
}

bus::Taken Seat::on_message(std::span<const bus::Target> targets, const bus::MessageView& message) {
  for (const bus::Target& target : targets) {
    reinterpret_cast<Listener*>(target.tag)->on_heard(message);
  }
  return bus::Taken::all;
}

}  // namespace spanwire::jetstream
