#include "bus/port.h"

#include "base/assert.h"
#include "bus/router.h"
#include "subject/subject.h"

namespace spanwire::bus {

Port::Port(Router& router, Interest& interest, base::Ref<const account::Principal> principal,
           Receiver& receiver, base::Ref<Gate> gate, std::shared_ptr<Verdicts> verdicts,
           base::PortId id)
    : router_(router),
      interest_(interest),
      principal_(std::move(principal)),
      receiver_(&receiver),
      gate_(std::move(gate)),
      id_(id),
      verdicts_(std::move(verdicts)) {}

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

tl::expected<Admitted, Refusal> Port::admit(MessageView& message) {
  if (!message.reply.empty() && !subject::is_safe(message.reply)) {
    router_.stats_.refused_unsafe.add();
    return tl::unexpected(Refusal::unsafe);
  }
  // A subject with a match was found safe when the match was made. What is admitted inside
  // on_message is looked up when its turn comes: the match in use must stay as it is.
  Match* match = router_.routing_ ? nullptr : router_.known_match(*this, message.route);
  if (match == nullptr) {
    if (!subject::is_safe(message.route)) {
      router_.stats_.refused_unsafe.add();
      return tl::unexpected(Refusal::unsafe);
    }
    if (!router_.routing_) match = &router_.match_of(interest_, message.route);
  }
  if (verdicts_ != nullptr && !may_publish(message.route, match)) {
    return tl::unexpected(Refusal::publish_denied);
  }
  return Admitted(message, match);
}

// `match`: the subject's, if there is one.
bool Port::may_publish(std::string_view subject, const Match* match) {
  const bool is_last = match != nullptr && match == last_match_;
  if (is_last && last_verdict_ != Verdict::unknown) return last_verdict_ == Verdict::allowed;
  const std::uint64_t hash = match != nullptr ? match->hash() : interest_.hash(subject);
  const bool allowed = verdicts_->may_publish(subject, hash);
  if (is_last) last_verdict_ = allowed ? Verdict::allowed : Verdict::denied;
  return allowed;
}

Routed Port::route(Admitted admitted) {
  return router_.route(*this, *admitted.message_, admitted.match_);
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
