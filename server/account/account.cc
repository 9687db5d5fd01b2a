#include "account/account.h"

#include <algorithm>

namespace spanwire::account {
namespace {

using Filters = std::vector<subject::Filter>;

bool any_matches(const Filters& filters, std::string_view subject) {
  return std::any_of(filters.begin(), filters.end(),
                     [&](const auto& filter) { return subject::matches(filter, subject); });
}

bool any_covers(const Filters& filters, const subject::Filter& narrow) {
  return std::any_of(filters.begin(), filters.end(),
                     [&](const auto& filter) { return subject::covers(filter, narrow); });
}

}  // namespace

bool PermissionSet::may_publish(std::string_view subject) const {
  if (!publish_allow.empty() && !any_matches(publish_allow, subject)) return false;
  return !any_matches(publish_deny, subject);
}

bool PermissionSet::may_subscribe(const subject::Filter& filter) const {
  if (!subscribe_allow.empty() && !any_covers(subscribe_allow, filter)) return false;
  return !any_covers(subscribe_deny, filter);
}

bool PermissionSet::may_receive(std::string_view subject) const {
  return !any_matches(subscribe_deny, subject);
}

}  // namespace spanwire::account
