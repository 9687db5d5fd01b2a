// A question for the newest of some messages.
#pragma once

#include <string_view>

#include "account/account.h"
#include "base/ids.h"
#include "base/ref.h"
#include "subject/filter.h"

namespace spanwire::kit {

// Of an account's messages those that the filter matches, the asker may receive, and the wire can
// show. Read on several loops at once.
struct ValueQuery {
  base::AccountId account = 0;
  subject::Filter filter;
  base::Ref<const account::PermissionSet> permissions;   // none: everything may be received
  bool (*can_show)(std::string_view subject) = nullptr;  // none: everything can be shown

  bool fits(std::string_view subject) const {
    return subject::matches(filter, subject) &&
           (!permissions || permissions->may_receive(subject)) &&
           (can_show == nullptr || can_show(subject));
  }
};

}  // namespace spanwire::kit
