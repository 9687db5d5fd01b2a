// What the HTTP sessions need of the server. wire/ implements it over its Services.
#pragma once

#include <memory>

#include "account/account.h"
#include "base/done.h"
#include "base/ref.h"
#include "base/result.h"
#include "bus/port.h"
#include "http/basic_auth.h"

namespace spanwire::web {

// Calls come on one loop, and the Done is called there.
class Access {
 public:
  virtual ~Access() = default;
  // Who a client without credentials is, or none if it must have some.
  virtual base::Ref<const account::Principal> anonymous() = 0;
  // The error is for the log.
  virtual void authenticate(http::BasicCredentials credentials,
                            base::Done<base::Result<base::Ref<const account::Principal>>> done) = 0;
  virtual bus::OwnedPort open(base::Ref<const account::Principal> principal,
                              bus::Receiver& receiver, base::Ref<bus::Gate> gate) = 0;
};

}  // namespace spanwire::web
