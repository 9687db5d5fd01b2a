#include "nats/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "nats/delivery.h"
#include "nats/encode.h"
#include "nats/quote.h"
#include "subject/subject.h"

namespace spanwire::nats {
namespace {

using std::chrono::seconds;

// The first PING comes this long after CONNECT: clients and operators get a round-trip time early.
constexpr base::Duration first_ping = seconds(2);
// A payload above this is received straight into its message; below, what has come of it waits
// with the connection and is read again with the rest.
constexpr std::size_t body_mode_bytes = 64 * 1024;

// A session with more subscriptions has them freed by a helper.
constexpr std::size_t subs_freed_here = 1000;

// Reply subjects that only the server itself may use.
bool is_reserved_reply(std::string_view reply) {
  if (reply.empty() || (reply.front() != '_' && reply.front() != '$')) return false;
  return reply.starts_with("_R_.") || reply.starts_with("$JS.ACK.") || reply.starts_with("_GR_.");
}

// Subjects that no client may publish to.
bool is_reserved_subject(std::string_view subject) {
  if (subject.empty() || (subject.front() != '_' && subject.front() != '$')) return false;
  return subject.starts_with("_GR_.") || subject.starts_with("$NRG.");
}

// The start of what could not be read, for the log. A CONNECT has secrets, and so may any JSON:
// what was meant to be a CONNECT may have lost its first bytes.
std::string shown_input(std::string_view input) {
  constexpr std::size_t shown_bytes = 32;
  if (input.starts_with('C') || input.starts_with('c')) return "(CONNECT)";
  return quote(input.substr(0, std::min(shown_bytes, input.find('{'))));
}

}  // namespace

struct Session::Body {
  base::Ref<bus::Message> message;
  std::size_t filled = 0;
  std::string tail;  // what has come of the CR LF behind the payload
  char tail_space[2];
};

Session::Session(session::Peer& peer, Bridge& bridge) : peer_(peer), bridge_(bridge) {
  const Settings& settings = bridge.settings();
  limits_.control_line = settings.max_control_line;
  limits_.payload = settings.max_payload;
  peer_.limit_pending({settings.max_pending});
}

Session::~Session() = default;

void Session::on_open() {
  ping_sent_ = peer_.now();
  send_info(false);
  debug("Client connection created");
  if (peer_.surplus()) {
    if (bridge_.may_complain()) error("maximum connections exceeded");
    return fail("maximum connections exceeded", "Maximum Connections Exceeded");
  }
  if (auto principal = bridge_.services().anonymous()) {
    port_ = bridge_.services().open(std::move(principal), *this, peer_.gate());
    arm_ping(bridge_.settings().ping_interval);
  } else {
    timer_ = peer_.arm(bridge_.settings().auth_timeout);
  }
}

void Session::on_closed(std::string_view reason) {
  if (debugs()) debug(fmt::format("Client connection closed: {}", reason));
  if (traces()) trace_all_ended();
  port_.reset();
  discard_subs();
}

session::Description Session::describe() const {
  return {
      .kind = "nats",
      .name = options_.name,
      .user = options_.user.empty() && !options_.auth_token.empty() ? "[REDACTED]" : options_.user,
      .lang = options_.lang,
      .version = options_.version,
      .round_trip = round_trip_,
      .port = port_.get()};
}

std::string Session::subscription_name(std::uint64_t tag) const {
  return reinterpret_cast<const Sub*>(tag)->sid;
}

std::size_t Session::on_bytes(std::string_view input) {
  last_input_ = peer_.now();
  std::size_t used = 0;
  Command command;
  command.message.origin.wire = bridge_.kind();
  while (used < input.size() && !peer_.closing() && !paused_) {
    if (refuse_first_byte(input[used])) {
      error("authentication error");
      fail("Authorization Violation", "Authentication Failure");
      break;
    }
    const std::string_view rest = input.substr(used);
    const Decoded decoded = decode(rest, limits_, command);
    if (decoded.result == Decode::ok) {
      used += decoded.consumed;
      handle(command);
    } else if (decoded.result == Decode::need_more) {
      break;
    } else if (decoded.result == Decode::body) {
      if (command.total_size <= body_mode_bytes) break;
      if (traces()) trace_command(command);
      start_body(command, rest.substr(decoded.consumed));
      return input.size();
    } else {
      fail(decoded.result, rest);
    }
  }
  return used;
}

// Before the login any byte that does not begin a CONNECT is refused, whatever it may become.
bool Session::refuse_first_byte(char byte) const {
  return port_ == nullptr && byte != 'C' && byte != 'c';
}

void Session::handle(Command& command) {
  if (traces()) [[unlikely]] {
    trace_command(command);
    const bool is_publish = command.verb == Verb::pub || command.verb == Verb::hpub;
    const bus::MessageView& message = command.message;
    if (is_publish) trace_payload(message.subject, message.headers, message.payload);
  }
  switch (command.verb) {
    case Verb::pub:
    case Verb::hpub:
      return publish(command.message);
    case Verb::sub:
      return handle_sub(command);
    case Verb::unsub:
      return handle_unsub(command);
    case Verb::ping:
      return handle_ping();
    case Verb::pong:
      return handle_pong();
    case Verb::connect:
      return handle_connect(command.argument);
    case Verb::ok:
      return;
    case Verb::info:
      if (const auto status = check_info(command.argument); !status) {
        fail_silently(status.error().text);
      }
      return;
    case Verb::err:
      return fail_silently(fmt::format("Client Error {}", command.argument));
  }
}

void Session::handle_connect(std::string_view json) {
  if (const auto status = parse_connect(json, options_); !status) {
    return fail_silently(status.error().text);
  }
  if (connect_seen_) drop_subscriptions();  // the login may lead to another account
  if (bridge_.services().anonymous()) return connected(nullptr);
  paused_ = true;
  logging_in_ = true;
  peer_.pause();
  bridge_.services().authenticate(
      {.user = options_.user, .password = options_.pass, .token = options_.auth_token},
      lifeline_.bind([this](base::Result<base::Ref<const account::Principal>> verdict) {
        handle_login(std::move(verdict));
      }));
}

// A port that is left takes its subscriptions out in slices; the others stay with the new one.
void Session::drop_subscriptions() {
  if (subs_.empty()) return;
  if (traces()) trace_all_ended();
  auto principal = base::Ref<const account::Principal>(&port_->principal());
  port_ = bridge_.services().open(std::move(principal), *this, peer_.gate());
  discard_subs();
}

// Freeing a million of them would hold up the loop.
void Session::discard_subs() {
  if (subs_.size() > subs_freed_here) {
    bridge_.services().offload([subs = std::move(subs_)]() mutable { subs.clear(); }, [] {});
  }
  subs_.clear();
}

void Session::handle_login(base::Result<base::Ref<const account::Principal>> verdict) {
  paused_ = false;
  logging_in_ = false;
  if (peer_.closing()) return;
  peer_.resume();
  if (!verdict) {
    bridge_.stats().rejected.add();
    error(fmt::format("authentication error - {}", verdict.error().text));
    return fail("Authorization Violation", "Authentication Failure");
  }
  connected(std::move(*verdict));
}

// `principal`: who has logged in; none where nobody has to.
void Session::connected(base::Ref<const account::Principal> principal) {
  if (!options_.account.empty() || options_.new_account) {
    return fail("Authorization Violation", "Authentication Failure");
  }
  if (options_.protocol < 0 || options_.protocol > 1) {
    return fail("invalid client protocol", "Bad Client Protocol Version");
  }
  if (options_.no_responders && !options_.headers) {
    return fail("no responders requires headers support", "No Responders Requires Headers");
  }
  limits_.headers = options_.headers;
  if (principal) port_ = bridge_.services().open(std::move(principal), *this, peer_.gate());
  const bool again = std::exchange(connect_seen_, true);
  send_ok();
  if (again) return;
  round_trip_ = peer_.now() - ping_sent_;  // the client has answered INFO
  arm_ping(std::min(first_ping, bridge_.settings().ping_interval));
}

void Session::handle_ping() {
  port_->catch_up();
  send_line(pong_line, "PONG");
  if (first_pong_sent_ || !connect_seen_) return;
  first_pong_sent_ = true;
  if (options_.protocol >= 1) send_info(true);
}

void Session::handle_pong() {
  if (pings_out_ != 0) round_trip_ = peer_.now() - ping_sent_;
  pings_out_ = 0;
  round_trip_known_ = true;
}

std::optional<std::string> Session::subscription_violation(const Command& command) const {
  const Settings& settings = bridge_.settings();
  if (command.queue == "_sys_") {
    return fmt::format("Permissions Violation for Subscription to {} using queue {}",
                       quote(command.subject), quote(command.queue));
  }
  const bool by_tokens = settings.max_subscription_tokens != 0 &&
                         subject::token_count(command.subject) > settings.max_subscription_tokens;
  if (by_tokens) {
    return fmt::format("Permissions Violation for Subscription to {}, too many tokens",
                       quote(command.subject));
  }
  if (settings.max_subscriptions != 0 && subs_.size() >= settings.max_subscriptions) {
    return "maximum subscriptions exceeded";
  }
  return std::nullopt;
}

void Session::handle_sub(const Command& command) {
  const Settings& settings = bridge_.settings();
  if (const auto violation = subscription_violation(command)) return send_error(*violation);
  if (subs_.contains(command.sid)) return send_ok();  // the first one stays
  const auto filter =
      subject::parse_nats_filter(command.subject, {.plus_is_one = settings.plus_wildcard});
  if (!filter) return send_error("Invalid Subject");
  auto sub = std::make_unique<Sub>();
  sub->sid = command.sid;
  const auto id = port_->subscribe(*filter, {.tag = reinterpret_cast<std::uintptr_t>(sub.get()),
                                             .queue = command.queue,
                                             .echo = options_.echo});
  if (!id) {
    const std::string queue =
        command.queue.empty() ? "" : fmt::format(" using queue {}", quote(command.queue));
    return send_error(fmt::format("Permissions Violation for Subscription to {}{}",
                                  quote(command.subject), queue));
  }
  sub->id = *id;
  subs_.insert(std::move(sub));
  send_ok();
}

void Session::handle_unsub(const Command& command) {
  bool ended = false;
  if (subs_.contains(command.sid)) {
    port_->catch_up();  // what came before it is delivered, and counts
    const auto still = subs_.find(command.sid);
    ended = still != subs_.end() && !port_->unsubscribe((*still)->id, command.max);
    if (ended) subs_.erase(still);
  }
  send_ok();
  if (ended && traces()) trace_ended(command.sid);
}

void Session::publish(bus::MessageView& message) {
  if (is_reserved_reply(message.reply)) {
    return send_error(
        fmt::format("Permissions Violation for Publish with Reply of {}", quote(message.reply)));
  }
  if (options_.pedantic && !subject::is_literal(message.route)) {
    send_error("Invalid Publish Subject");
  }
  const auto admitted = port_->admit(message);
  const bool denied = !admitted && admitted.error() == bus::Refusal::publish_denied;
  if (denied || is_reserved_subject(message.route)) {
    return send_error(fmt::format("Permissions Violation for Publish to {}", quote(message.route)));
  }
  send_ok();
  if (!admitted) return;  // unsafe bytes: dropped and counted by the router
  const bus::Routed routed = port_->route(*admitted);
  if (routed.targets == 0 && options_.no_responders && !message.reply.empty()) {
    answer_no_responders(message.subject, message.reply);
  }
  if (routed.pressure) {
    paused_ = true;
    peer_.pause();
  }
}

void Session::on_relief() {
  if (logging_in_) return;  // the verdict resumes
  paused_ = false;
  if (!peer_.closing()) peer_.resume();
}

// Only a plain subscription of this very client hears it.
void Session::answer_no_responders(std::string_view subject, std::string_view reply) {
  if (peer_.closing()) return;
  const bus::Target* target = port_->find_plain(reply);
  if (target == nullptr) return;
  bridge_.stats().no_responders.add();
  std::string answer;
  append_no_responders(answer, reply, reinterpret_cast<const Sub*>(target->tag)->sid, subject);
  peer_.send(answer);
  if (traces()) trace_line(std::string_view(answer).substr(0, answer.find('\r')));
}

void Session::start_body(const Command& command, std::string_view begun) {
  bus::MessageView head;
  head.route = head.subject = command.message.subject;
  head.reply = command.message.reply;
  head.origin = command.message.origin;
  if (body_ == nullptr) body_ = std::make_unique<Body>();
  body_->message =
      bus::Message::allocate(head, command.header_size, command.total_size - command.header_size);
  const std::span<char> space = body_->message->body();
  body_->filled = std::min(begun.size(), space.size());
  std::memcpy(space.data(), begun.data(), body_->filled);
  body_->tail = begun.substr(body_->filled);  // less than all of it, or decode() had not asked
}

std::span<char> Session::body_space() {
  if (body_ == nullptr || !body_->message) return {};
  const std::span<char> space = body_->message->body();
  if (body_->filled < space.size()) return space.subspan(body_->filled);
  return {body_->tail_space, payload_end.size() - body_->tail.size()};
}

void Session::on_body(std::size_t bytes) {
  last_input_ = peer_.now();
  if (body_->filled < body_->message->body().size()) {
    body_->filled += bytes;
    return;
  }
  body_->tail.append(body_->tail_space, bytes);
  if (!payload_end.starts_with(body_->tail)) {
    return fail(Decode::unknown_operation, body_->tail);
  }
  if (body_->tail.size() < payload_end.size()) return;
  const base::Ref<bus::Message> body = std::move(body_->message);
  bus::MessageView message = body->view();
  if (traces()) trace_payload(message.subject, message.headers, message.payload);
  publish(message);
}

bus::Taken Session::on_message(std::span<const bus::Target> targets,
                               const bus::MessageView& message) {
  if (peer_.closing()) return bus::Taken::none;
  const bool with_headers = !message.headers.empty() && options_.headers;
  for (const bus::Target& target : targets) {
    if (peer_.over_limit()) {
      bridge_.stats().slow_consumers.add();
      info(fmt::format("Slow Consumer Detected: MaxPending of {} Exceeded",
                       bridge_.settings().max_pending));
      peer_.close("Slow Consumer (Pending Bytes)", session::Ending::discard);
      return bus::Taken::none;
    }
    const std::string& sid = reinterpret_cast<const Sub*>(target.tag)->sid;
    send_delivery(peer_, target, sid, message, with_headers);
    if (traces()) [[unlikely]] {
      trace_message(sid, message, with_headers);
    }
    if (!target.last) continue;
    if (debugs()) debug(fmt::format("Auto-unsubscribe limit reached for sid '{}'", sid));
    if (traces()) trace_ended(sid);
    subs_.erase(subs_.find(sid));
  }
  return bus::Taken::all;
}

void Session::on_timer(base::TimerId timer) {
  if (timer != timer_) return;
  if (port_ == nullptr) {
    debug("Authentication Timeout");
    return fail("Authentication Timeout", "Authentication Timeout");
  }
  ping_due();
}

void Session::ping_due() {
  const Settings& settings = bridge_.settings();
  debug("Client Ping Timer");
  const base::Duration silent = peer_.now() - last_input_;
  if (round_trip_known_ && silent < settings.ping_interval) {
    if (debugs()) {
      debug(fmt::format("Delaying PING due to client activity {:.1f} s ago",
                        std::chrono::duration<double>(silent).count()));
    }
    return arm_ping(settings.ping_interval);
  }
  if (pings_out_ + 1 > settings.ping_max) {
    bridge_.stats().stale_connections.add();
    debug("Stale Client Connection - Closing");
    return fail("Stale Connection", "Stale Connection");
  }
  ++pings_out_;
  ping_sent_ = peer_.now();
  send_line(ping_line, "PING");
  arm_ping(settings.ping_interval);
}

void Session::arm_ping(base::Duration after) {
  if (timer_ != base::TimerId::none) peer_.disarm(timer_);
  timer_ = peer_.arm(after);
}

void Session::send_info(bool connect_info) {
  Info info = bridge_.info();
  info.client_id = peer_.id();
  info.client_ip = peer_.remote_host();
  if (connect_info) {
    info.connect_info = true;
    info.remote_account = port_->principal().account->name;
  }
  std::string line;
  append_info(line, info);
  peer_.send(line);
}

void Session::send_line(std::string_view line, std::string_view traced_as) {
  peer_.send(line);
  if (traces()) trace_line(traced_as);
}

void Session::send_ok() {
  if (options_.verbose) send_line(ok_line, "OK");
}

void Session::send_error(std::string_view text) {
  std::string line;
  append_error(line, text);
  send_line(line, fmt::format("-ERR {}", text));
}

void Session::fail(std::string_view text, std::string_view reason) {
  send_error(text);
  peer_.close(reason);
}

// `input` begins with what is wrong.
void Session::fail(Decode wrong, std::string_view input) {
  const std::string_view text = error_text(wrong);
  if (!text.empty()) send_error(text);
  switch (wrong) {
    case Decode::line_too_long:
      error("maximum control line exceeded");
      return peer_.close("Maximum Control Line Exceeded");
    case Decode::payload_too_large:
      error(fmt::format("maximum payload exceeded: more than {}", limits_.payload));
      return peer_.close("Maximum Message Payload Exceeded");
    default:
      error(fmt::format("Client parser ERROR: proto={}", shown_input(input)));
      return peer_.close("Protocol Violation");
  }
}

void Session::fail_silently(std::string_view text) {
  error(text);
  peer_.close("Protocol Violation");
}

}  // namespace spanwire::nats
