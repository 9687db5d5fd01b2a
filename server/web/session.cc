#include "web/session.h"

#include <algorithm>

#include "base/assert.h"
#include "logging/logging.h"
#include "session/turn.h"

namespace spanwire::web {
namespace {

// How often a client that does not take its answers is looked at.
constexpr base::Duration pending_interval = std::chrono::milliseconds(10);
// An answer larger than this leaves its memory behind.
constexpr std::size_t max_kept_out = 128 * 1024;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("web");
  return log;
}

http::Limits limits_of(const Site& site) {
  return {.request_line_bytes = site.settings().request_line_bytes,
          .header_bytes = site.settings().header_bytes,
          .body_bytes = site.routes().max_body_bytes()};
}

bool has_body(const http::Request& head) {
  return head.framing == http::Framing::chunked || head.content_length > 0;
}

}  // namespace

Session::Session(session::Peer& peer, Site& site)
    : peer_(peer), site_(site), parser_(limits_of(site)), slot_(new Answer::Slot{this}) {}

Session::~Session() {
  if (lent_ != nullptr) lent_->session = nullptr;
}

void Session::on_open() {
  logger().debug("{} - cid:{} - Client connection created", peer_.remote(), peer_.id());
  if (peer_.surplus()) return fail({503, "there are too many connections"});
  set_deadline(site_.settings().idle_timeout);
}

void Session::on_closed(std::string_view reason) {
  port_.reset();
  logger().debug("{} - cid:{} - Client connection closed: {}", peer_.remote(), peer_.id(), reason);
}

session::Description Session::describe() const {
  return {.kind = site_.settings().kind,
          .user = principal_ ? principal_->user : std::string(),
          .port = port_.get()};
}

// It has no subscriptions.
bus::Taken Session::on_message(std::span<const bus::Target> /*targets*/,
                               const bus::MessageView& /*message*/) {
  return bus::Taken::none;
}

std::size_t Session::on_bytes(std::string_view input) {
  std::size_t used = 0;
  served_ = 0;
  while (waiting_ == 0 && !peer_.closing()) {
    const std::string_view rest = input.substr(used);
    if (!(head_.empty() ? take_head(rest, used) : take_body(rest, used))) break;
    if (++served_ == site_.settings().requests_a_turn) yield_turn();
  }
  return peer_.closing() ? input.size() : used;
}

// Reads one request, if all of it has come. False: there is nothing more to do with this input.
bool Session::take_head(std::string_view input, std::size_t& used) {
  if (input.empty()) return false;
  http::Request& head = site_.scratch_.head;
  const http::Parse parsed = parser_.parse(input, head);
  if (parsed == http::Parse::need_more) request_begins();
  if (parsed == http::Parse::error) fail(parser_.problem());
  if (parsed != http::Parse::ok) return false;
  Plan made;
  if (!plan(head, made)) return false;  // the head comes again with the verdict
  used += parser_.consumed();
  exchange_ = exchange_of(head, {});
  if (!has_body(head)) {
    handle(made, head, {});
    return true;
  }
  if (made.route == nullptr) {
    exchange_.keep_alive = false;  // its body is not wanted
    handle(made, head, {});
    return false;
  }
  body_.start(head, made.route->body_bytes);
  const http::Parse fed = body_.feed(input.substr(parser_.consumed()));
  used += body_.consumed();
  if (fed == http::Parse::ok) handle(made, head, body_.body());
  if (fed == http::Parse::error) fail(body_.problem());
  if (fed != http::Parse::need_more) return fed == http::Parse::ok;
  request_begins();
  head_.assign(input.data(), parser_.consumed());
  if (head.expect_continue && input.size() == head_.size()) peer_.send(http::continue_answer);
  return false;
}

bool Session::take_body(std::string_view input, std::size_t& used) {
  const http::Parse fed = body_.feed(input);
  used += body_.consumed();
  if (fed == http::Parse::error) fail(body_.problem());
  if (fed != http::Parse::ok) return false;
  http::Request& head = site_.scratch_.head;
  const http::Parse parsed = parser_.parse(head_, head);
  BASE_ASSERT(parsed == http::Parse::ok);
  Plan made;
  const bool planned = plan(head, made);
  BASE_ASSERT(planned && made.route != nullptr);  // as it was before the body
  handle(made, head, body_.body());
  head_.clear();
  return true;
}

// False: it waits for a login to be checked.
bool Session::plan(const http::Request& head, Plan& out) {
  const auto path = http::percent_decode(head.path, site_.scratch_.path);
  if (!path) {
    out.status = 400;
    out.reason = "the path has a % without two hexadecimal digits";
    return true;
  }
  const Routes::Found found = site_.routes().find(head.method, *path);
  if (found.route == nullptr) {
    site_.stats().not_found.add();
    out.status = found.allow.empty() ? 404 : 405;
    out.reason = found.allow.empty() ? "there is nothing at this path"
                                     : "this path does not know the method";
    if (!found.allow.empty()) out.field = {"Allow", found.allow};
    return true;
  }
  const Identity identity = identify(*found.route, head);
  if (identity == Identity::refused) {
    out.status = 401;
    out.reason = "a user and a password are needed";
    out.field = {"WWW-Authenticate", site_.challenge_};
    return true;
  }
  if (identity == Identity::wait) return false;
  if (!site_.scratch_.query.parse(head.query)) {
    out.status = 400;
    out.reason = "the query is malformed";
    return true;
  }
  out.route = found.route;
  out.path = *path;
  out.rest = found.rest;
  return true;
}

void Session::handle(const Plan& plan, const http::Request& head, std::string_view body) {
  site_.stats().requests.add();
  if (plan.route == nullptr) return refuse(plan);
  const Request request{.method = head.method,
                        .path = plan.path,
                        .rest = plan.rest,
                        .query = site_.scratch_.query,
                        .headers = head.headers,
                        .body = body,
                        .client = *this};
  lent_ = slot_.get();
  plan.route->handler(request, Answer(std::move(slot_)));
  body_.release();
  if (lent_ != nullptr) wait(for_answer);
}

Session::Identity Session::identify(const Route& route, const http::Request& head) {
  if (route.login == Login::none) return Identity::known;
  const std::string_view given = head.headers.value("Authorization");
  if (!identity_known_ || given != authorization_) {
    http::BasicCredentials credentials;
    const http::BasicAuth read = http::parse_basic_auth(given, credentials);
    if (read == http::BasicAuth::ok) {
      start_login(std::string(given), std::move(credentials));
      return Identity::wait;
    }
    // Another scheme is not meant for this server.
    const bool may_enter = read == http::BasicAuth::other_scheme;
    become(std::string(given), may_enter ? site_.access().anonymous() : nullptr);
  }
  return principal_ ? Identity::known : Identity::refused;
}

void Session::start_login(std::string authorization, http::BasicCredentials credentials) {
  wait(for_login);
  site_.access().authenticate(
      std::move(credentials),
      lifeline_.bind([this, authorization = std::move(authorization)](
                         base::Result<base::Ref<const account::Principal>> verdict) mutable {
        if (!verdict) {
          site_.stats().rejected.add();
          logger().error("{} - cid:{} - authentication error - {}", peer_.remote(), peer_.id(),
                         verdict.error().text);
        }
        become(std::move(authorization), verdict ? std::move(*verdict) : nullptr);
        go_on(for_login);
      }));
}

void Session::become(std::string authorization, base::Ref<const account::Principal> principal) {
  port_.reset();
  authorization_ = std::move(authorization);
  principal_ = std::move(principal);
  identity_known_ = true;
}

tl::expected<bus::Admitted, bus::Refusal> Session::admit(bus::MessageView& message) {
  BASE_ASSERT(principal_);
  if (port_ == nullptr) port_ = site_.access().open(principal_, *this, peer_.gate());
  return port_->admit(message);
}

tl::expected<bus::Routed, bus::Refusal> Session::publish(bus::MessageView message) {
  const auto admitted = admit(message);
  if (!admitted) return tl::unexpected(admitted.error());
  const bus::Routed routed = port_->route(*admitted);
  if (routed.pressure) wait(for_relief);
  return routed;
}

tl::expected<bus::Routed, bus::Refusal> Session::publish(
    bus::MessageView message, absl::FunctionRef<bus::Receipts::Answered()> stored) {
  const auto admitted = admit(message);
  if (!admitted) return tl::unexpected(admitted.error());
  const bus::Routed routed =
      admitted->is_kept() ? port_->publish(*admitted, stored()) : port_->route(*admitted);
  if (routed.pressure) wait(for_relief);
  return routed;
}

void Session::on_relief() {
  go_on(for_relief);
}

void Session::complete(std::unique_ptr<Answer::Slot> slot, const Reply& reply) {
  take_back(std::move(slot));
  if (peer_.closing()) return;
  std::string& out = fresh_out();
  http::Response response(out, reply.status, exchange());
  if (!reply.type.empty()) response.header("Content-Type", reply.type);
  for (const http::Header& field : reply.fields) response.header(field.name, field.value);
  if (reply.message && reply.body.size() >= bus::by_reference_bytes) {
    const bool wanted = response.finish_head(reply.body.size());
    peer_.send(out);
    if (wanted) peer_.send(reply.message, reply.body);
  } else {
    response.finish(reply.body);
    peer_.send(out);
  }
  request_ends();
}

void Session::complete(std::unique_ptr<Answer::Slot> slot, int status, std::string_view reason,
                       std::span<const http::Header> fields) {
  take_back(std::move(slot));
  if (peer_.closing()) return;
  std::string& out = fresh_out();
  append_error(out, status, reason, exchange(), fields);
  peer_.send(out);
  request_ends();
}

void Session::take_back(std::unique_ptr<Answer::Slot> slot) {
  slot_ = std::move(slot);
  lent_ = nullptr;
}

void Session::refuse(const Plan& plan) {
  // The next request is judged anew: the client may have been given another password meanwhile.
  if (plan.status == 401) identity_known_ = false;
  const std::span<const http::Header> fields(&plan.field, plan.field.name.empty() ? 0 : 1);
  std::string& out = fresh_out();
  append_error(out, plan.status, plan.reason, exchange(), fields);
  peer_.send(out);
  request_ends();
}

// What could not be read as a request: nothing behind it can be understood.
void Session::fail(const http::Problem& problem) {
  logger().debug("{} - cid:{} - {}: {}", peer_.remote(), peer_.id(), problem.status,
                 problem.reason);
  site_.stats().malformed.add();
  std::string& out = fresh_out();
  append_problem(out, problem, date());
  peer_.send(out);
  peer_.close("Bad Request");
}

std::string_view Session::date() {
  return site_.date_.at(peer_.turn().loop().wall_now());
}

http::Exchange Session::exchange() {
  http::Exchange dated = exchange_;
  dated.date = date();
  return dated;
}

std::string& Session::fresh_out() {
  std::string& out = site_.scratch_.out;
  if (out.capacity() > max_kept_out) out = std::string();
  out.clear();
  return out;
}

void Session::request_begins() {
  if (in_request_) return;
  in_request_ = true;
  set_deadline(site_.settings().request_timeout);
}

void Session::request_ends() {
  in_request_ = false;
  if (!exchange_.keep_alive) return peer_.close("Client Closed");
  set_deadline(site_.settings().idle_timeout);
  if (peer_.pending_bytes() > site_.settings().max_pending) {
    wait(for_client);
    post([this] { look_at_pending(); });
  }
  go_on(for_answer);
}

void Session::look_at_pending() {
  if (peer_.pending_bytes() > site_.settings().max_pending / 2) {
    pending_timer_ = peer_.arm(pending_interval);
  } else {
    go_on(for_client);
  }
}

void Session::yield_turn() {
  wait(for_turn);
  post([this] { go_on(for_turn); });
}

template <class Call>
void Session::post(Call call) {
  peer_.turn().loop().post(lifeline_.bind(std::move(call)));
}

void Session::wait(Wait why) {
  if (waiting_ == 0) peer_.pause();
  waiting_ |= why;
}

void Session::go_on(Wait why) {
  if ((waiting_ & why) == 0) return;
  waiting_ = static_cast<std::uint8_t>(waiting_ & ~why);
  if (waiting_ == 0 && !peer_.closing()) peer_.resume();
}

// The timer is only moved forward: it finds out for itself that there is more time.
void Session::set_deadline(base::Duration from_now) {
  deadline_ = peer_.now() + from_now;
  if (timer_ != base::TimerId::none && timer_due_ <= deadline_) return;
  if (timer_ != base::TimerId::none) peer_.disarm(timer_);
  timer_ = peer_.arm(from_now);
  timer_due_ = deadline_;
}

void Session::on_timer(base::TimerId timer) {
  if (timer == pending_timer_) return look_at_pending();
  if (timer != timer_) return;
  timer_ = base::TimerId::none;
  const base::Time now = peer_.now();
  if (waiting_ != 0) return set_deadline(site_.settings().idle_timeout);  // it is not the client's
  if (now < deadline_) return set_deadline(deadline_ - now);
  if (!in_request_) return peer_.close("Idle Timeout");
  site_.stats().timeouts.add();
  fail({408, "the request did not come to its end in time"});
}

}  // namespace spanwire::web
