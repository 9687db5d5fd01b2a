#include "streams/bus_link.h"

#include <utility>

#include "base/assert.h"
#include "crypto/nuid.h"
#include "subject/filter.h"

namespace spanwire::streams {
namespace {

constexpr std::string_view nobody = "NATS/1.0 503\r\n\r\n";

}  // namespace

BusLink::BusLink(base::Loop& loop, OpenPort open_port)
    : loop_(loop),
      open_port_(std::move(open_port)),
      inbox_("_INBOX." + crypto::NuidSource().next()) {}

// What was asked for before still goes out: a feed says on its way out what it has not settled.
BusLink::~BusLink() {
  if (port_ != nullptr) act();
}

void BusLink::open(Listener& listener) {
  BASE_ASSERT(listener_ == nullptr);
  listener_ = &listener;
  wake();
}

void BusLink::listen(std::string_view token) {
  add({.kind = Action::Kind::listen, .subject = std::string(token)});
}

void BusLink::unlisten(std::string_view token) {
  add({.kind = Action::Kind::unlisten, .subject = std::string(token)});
}

bool BusLink::publish(std::string_view subject, std::string_view reply, std::string_view headers,
                      std::string_view payload) {
  if (actions_.size() >= max_link_messages) return false;
  if (action_bytes_ + headers.size() + payload.size() > max_link_bytes) return false;
  add({.kind = Action::Kind::publish,
       .subject = std::string(subject),
       .reply = std::string(reply),
       .headers = std::string(headers),
       .payload = std::string(payload)});
  return true;
}

void BusLink::add(Action action) {
  action_bytes_ += action.size_bytes();
  actions_.push_back(std::move(action));
  wake();
}

bus::Taken BusLink::on_message(std::span<const bus::Target>, const bus::MessageView& message) {
  if (arrived_.size() >= max_link_messages ||
      arrived_bytes_ + message.body_size() > max_link_bytes) {
    dropped_.add();
    return bus::Taken::none;
  }
  arrived_.push_back(message.keep());
  arrived_bytes_ += message.body_size();
  wake();
  return bus::Taken::all;
}

void BusLink::wake() {
  if (std::exchange(woken_, true)) return;
  loop_.post(lifeline_.bind([this] { run(); }));
}

void BusLink::run() {
  woken_ = false;
  if (port_ == nullptr) {
    port_ = open_port_(*this);
    subscribe(inbox_ + ".*");
  }
  act();
  hand_over();
}

// Only what was there: what this causes waits for the next turn.
void BusLink::act() {
  for (std::size_t left = actions_.size(); left != 0; --left) {
    const Action action = std::move(actions_.front());
    actions_.pop_front();
    action_bytes_ -= action.size_bytes();
    perform(action);
  }
}

void BusLink::perform(const Action& action) {
  if (action.kind == Action::Kind::publish) return route(action);
  if (action.kind == Action::Kind::listen) {
    subs_[action.subject] = subscribe(inbox_ + '.' + action.subject + ".*");
    return;
  }
  const auto found = subs_.find(action.subject);
  if (found == subs_.end()) return;
  port_->unsubscribe(found->second);
  subs_.erase(found);
}

void BusLink::route(const Action& action) {
  bus::MessageView view;
  view.route = view.subject = action.subject;
  view.reply = action.reply;
  view.headers = action.headers;
  view.payload = action.payload;
  const auto admitted = port_->admit(view);
  const bool reached = admitted && port_->route(*admitted).targets != 0;
  if (!reached && !action.reply.empty()) say_nobody(action.reply);
}

void BusLink::say_nobody(const std::string& reply) {
  bus::MessageView view;
  view.route = view.subject = reply;
  view.headers = nobody;
  on_message({}, view);
}

void BusLink::hand_over() {
  const auto alive = lifeline_.watch();
  for (std::size_t left = arrived_.size(); left != 0; --left) {
    const Kept message = std::move(arrived_.front());
    arrived_.pop_front();
    const bus::MessageView view = message->view();
    arrived_bytes_ -= view.body_size();
    listener_->on_inbox(view.route.substr(inbox_.size() + 1), view);
    if (alive.expired()) return;
  }
}

base::SubId BusLink::subscribe(const std::string& filter) {
  const auto sub = port_->subscribe(*subject::parse_nats_filter(filter), {});
  BASE_ASSERT(sub);  // the principal may hear its own inbox
  return *sub;
}

}  // namespace spanwire::streams
