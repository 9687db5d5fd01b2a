#include "bus/port.h"

#include "base/assert.h"
#include "bus/router.h"
#include "subject/subject.h"

namespace spanwire::bus {

bool Admitted::is_kept() const {
  return match_ != nullptr && match_->durable;
}

Port::Port(Router& router, Interest& interest, base::Ref<const account::Principal> principal,
           Receiver& receiver, base::Ref<Gate> gate, std::shared_ptr<Verdicts> verdicts,
           base::PortId id, Traffic& total, PortOptions options)
    : router_(router),
      interest_(interest),
      principal_(std::move(principal)),
      receiver_(&receiver),
      gate_(std::move(gate)),
      id_(id),
      total_(total),
      verdicts_(std::move(verdicts)),
      maps_(options.maps) {}

void Leave::operator()(Port* port) const {
  port->router_.close(std::unique_ptr<Port>(port));
}

tl::expected<base::SubId, SubscribeError> Port::subscribe(const subject::Filter& filter,
                                                          const SubOptions& options) {
  const account::PermissionSet* permissions = principal_->permissions.get();
  if (permissions != nullptr && !permissions->may_subscribe(filter)) {
    return tl::unexpected(SubscribeError::not_permitted);
  }
  return router_.add_subscription(*this, filter, options);
}

bool Port::unsubscribe(base::SubId sub, std::uint64_t after) {
  return router_.limit_subscription(*this, sub, after);
}

inline tl::expected<Admitted, Refusal> Port::judge(MessageView& message, Match* match) {
  if (verdicts_ != nullptr && !may_publish(message.route, match)) {
    return tl::unexpected(Refusal::publish_denied);
  }
  return Admitted(message, match);
}

tl::expected<Admitted, Refusal> Port::admit(MessageView& message) {
  if (!message.reply.empty() && !subject::is_safe(message.reply)) {
    router_.stats_.refused_unsafe.add();
    return tl::unexpected(Refusal::unsafe);
  }
  if (router_.routing_) return admit_inside(message);
  Match* const match = router_.last_match(*this, message.route);
  if (match == nullptr || match->is_mapped()) return admit_elsewhere(message, match);
  return judge(message, match);
}

// Of another subject than the last one, or one that goes elsewhere. A subject with a match was
// found safe when the match was made.
tl::expected<Admitted, Refusal> Port::admit_elsewhere(MessageView& message, Match* match) {
  Match::Key key;
  if (match == nullptr) match = router_.find_match(*this, message.route, key);
  if (match == nullptr) {
    if (!subject::is_safe(message.route)) {
      router_.stats_.refused_unsafe.add();
      return tl::unexpected(Refusal::unsafe);
    }
    match = &router_.make_match(key);
  }
  if (match->is_mapped()) match = &follow(*match, message);
  return judge(message, match);
}

// It is looked up when its turn comes: the match in use must stay as it is.
tl::expected<Admitted, Refusal> Port::admit_inside(MessageView& message) {
  if (!subject::is_safe(message.route)) {
    router_.stats_.refused_unsafe.add();
    return tl::unexpected(Refusal::unsafe);
  }
  if (asker() == Asker::client) router_.map_inside(*this, message);
  return judge(message, nullptr);
}

tl::expected<Admitted, Refusal> Port::admit_deferred(MessageView& message) {
  Match* match = nullptr;
  if (asker() == Asker::router) match = router_.last_match(*this, message.route);
  if (match == nullptr) match = &router_.match_of(interest_, message.route);
  return judge(message, match);
}

Asker Port::asker() const {
  return maps_ && interest_.has_mappings() ? Asker::client : Asker::router;
}

// Where a mapped subject goes. The text is the port's own: what a session does with its message
// after route() may push the match out of the cache.
Match& Port::follow(Match& match, MessageView& message) {
  if (match.is_drawn()) {
    mapped_.clear();
    match.draw(router_.random_.next(), mapped_);
    mapped_verdict_ = Verdict::unknown;
  } else if (!base::same_text(mapped_, match.route())) {
    mapped_.assign(match.route());
    mapped_verdict_ = Verdict::unknown;
  }
  message.route = message.subject = mapped_;
  return match.is_drawn() ? router_.match_of(interest_, mapped_) : match;
}

// `match`: the subject's, if there is one.
bool Port::may_publish(std::string_view subject, const Match* match) {
  Verdict passing = Verdict::unknown;
  Verdict& known = match == nullptr       ? passing
                   : match->is_mapped()   ? mapped_verdict_
                   : match == last_match_ ? last_verdict_
                                          : passing;
  if (known != Verdict::unknown) return known == Verdict::allowed;
  const std::uint64_t hash = match != nullptr ? match->hash() : interest_.hash(subject);
  const bool allowed = verdicts_->may_publish(subject, hash);
  known = allowed ? Verdict::allowed : Verdict::denied;
  return allowed;
}

Routed Port::route(Admitted admitted) {
  return router_.route(*this, *admitted.message_, admitted.match_);
}

Routed Port::publish(Admitted admitted, Receipts::Answered done) {
  return router_.publish(*this, *admitted.message_, admitted.match_, std::move(done));
}

void Port::claim(ReceiptId receipt) {
  router_.receipts_.claim(receipt);
}

void Port::answer(ReceiptId receipt, Storing storing) {
  router_.receipts_.answer(receipt, std::move(storing));
}

void Port::catch_up() {
  router_.catch_up();
}

bool Port::interested(std::string_view subject) {
  BASE_ASSERT(!router_.routing_);
  // Nobody is, and its match would pass for one of a safe subject (admit).
  if (!subject::is_safe(subject)) return false;
  return !router_.match_of(interest_, subject).empty();
}

bool Port::listens(std::string_view subject, std::string_view group) const {
  return interest_.listens(router_.id_, subject, group);
}

Watched Port::watch(std::string_view subject, base::Task on_arrival,
                    std::optional<std::string_view> group) {
  return router_.watch(*this, subject, std::move(on_arrival), group);
}

void Port::unwatch(WatchId id) {
  router_.unwatch(*this, id);
}

const Target* Port::find_plain(std::string_view subject) {
  BASE_ASSERT(!router_.routing_);
  if (!subject::is_safe(subject)) return nullptr;
  const Match& match = router_.match_of(interest_, subject);
  for (const Run& run : match.runs) {
    if (run.port == this) return &match.targets[run.first];
  }
  return nullptr;
}

bool Port::may_receive(std::string_view subject) const {
  const account::PermissionSet* permissions = principal_->permissions.get();
  return permissions == nullptr || permissions->may_receive(subject);
}

}  // namespace spanwire::bus
