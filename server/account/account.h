// Who is who: accounts, users and what they may do. Data only; auth/ decides, bus/ enforces.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/ref.h"
#include "subject/filter.h"

namespace spanwire::account {

inline constexpr base::AccountId global_account = 0;
inline constexpr const char* global_account_name = "$G";

// A tenant: subjects of one account never meet those of another.
struct Account : base::RefCounted<Account> {
  Account(base::AccountId number, std::string text) : id(number), name(std::move(text)) {}
  const base::AccountId id;
  const std::string name;
};

// What a user may publish and subscribe. Identical users share one set, so that verdicts are
// cached once. An empty allow list allows everything that no deny entry matches.
struct PermissionSet : base::RefCounted<PermissionSet> {
  std::vector<subject::Filter> publish_allow;
  std::vector<subject::Filter> publish_deny;
  std::vector<subject::Filter> subscribe_allow;
  std::vector<subject::Filter> subscribe_deny;

  bool may_publish(std::string_view subject) const;
  // A deny entry that is narrower than a wildcard filter does not refuse the subscription: it is
  // enforced when a message is delivered (may_receive).
  bool may_subscribe(const subject::Filter& filter) const;
  bool may_receive(std::string_view subject) const;
};

// A peer that has proved who it is. Never changes: a reload makes a new one.
struct Principal : base::RefCounted<Principal> {
  base::Ref<const Account> account;
  std::string user;                            // empty: no credentials were asked for
  base::Ref<const PermissionSet> permissions;  // none: everything is allowed
};

}  // namespace spanwire::account
