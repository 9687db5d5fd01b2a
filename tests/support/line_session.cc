#include "tests/support/line_session.h"

#include <charconv>

#include "base/assert.h"
#include "tests/support/world.h"

namespace spanwire::test {
namespace {

std::string_view next_word(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  line = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
  return word;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

LineSession::LineSession(bus::Router& router, session::Peer& peer,
                         base::Ref<const account::Principal> principal)
    : peer_(peer), port_(router.open(std::move(principal), *this, peer.gate())) {}

std::size_t LineSession::on_bytes(std::string_view input) {
  std::size_t used = 0;
  while (!peer_.closing()) {
    const std::size_t end = input.find('\n', used);
    if (end == std::string_view::npos) break;
    const std::string_view line = input.substr(used, end - used);
    used = end + 1;
    const bool publishes = line.starts_with("pub ");
    command(line);
    if (publishes && waiting_) break;
  }
  return used;
}

void LineSession::command(std::string_view line) {
  const std::string_view verb = next_word(line);
  if (verb == "sub") {
    const auto filter = subject::parse_nats_filter(next_word(line));
    BASE_ASSERT(filter);
    const auto sub = port_->subscribe(*filter, {.tag = subs_.size(), .queue = line, .echo = echo_});
    if (!sub) return peer_.send("denied\n");
    subs_.push_back(*sub);
  } else if (verb == "unsub") {
    const std::uint64_t index = number(next_word(line));
    port_->unsubscribe(subs_[index], number(line));
  } else if (verb == "pub") {
    const std::string_view subject = next_word(line);
    publish(subject, line);
  } else if (verb == "ping") {
    port_->catch_up();
    peer_.send("pong\n");
  } else if (verb == "bye") {
    peer_.close("Client Closed");
  }
}

void LineSession::publish(std::string_view subject, std::string_view text) {
  bus::MessageView message;
  message.route = subject;
  message.subject = subject;
  message.payload = text;
  const auto admitted = port_->admit(message);
  if (!admitted) return peer_.send("refused\n");
  const bus::Routed routed = port_->route(*admitted);
  if (!quiet_) peer_.send("targets " + std::to_string(routed.targets) + "\n");
  if (!routed.pressure) return;
  waiting_ = true;
  peer_.pause();
}

bus::Taken LineSession::on_message(std::span<const bus::Target> targets,
                                   const bus::MessageView& message) {
  if (peer_.closing() || taken_ == bus::Taken::none) return bus::Taken::none;
  const bool drop_queue = taken_ == bus::Taken::plain;
  for (const bus::Target& target : targets) {
    if (drop_queue && target.note == nullptr) continue;
    peer_.send("msg ");
    peer_.send(message.subject);
    peer_.send(" ");
    peer_.send(message.payload);
    peer_.send("\n");
  }
  if (!echo_subject.empty()) publish(echo_subject, message.payload);
  return taken_;
}

void LineSession::on_relief() {
  ++reliefs_;
  waiting_ = false;
  peer_.resume();
}

void LineSession::on_closed(std::string_view /*reason*/) {
  port_.reset();
}

base::Ref<const account::Principal> principal_of(base::AccountId id) {
  auto principal = base::make_ref<account::Principal>();
  principal->account = base::make_ref<account::Account>(id, "A" + std::to_string(id));
  return principal;
}

TestPeer& connect_line(World& world, std::size_t loop, LineSession** session,
                       base::Ref<const account::Principal> principal) {
  TestPeer& peer = world.connect(loop);
  if (!principal) principal = principal_of();
  auto made = std::make_unique<LineSession>(world.router(loop), peer, std::move(principal));
  if (session != nullptr) *session = made.get();
  peer.attach(std::move(made));
  return peer;
}

}  // namespace spanwire::test
