// How HTTP clients log in and take their seats: web::Access over the services of a loop.
#pragma once

#include <memory>
#include <utility>

#include "web/access.h"
#include "wire/services.h"

namespace spanwire::wire {

class WebAccess final : public web::Access {
 public:
  explicit WebAccess(Services& services) : services_(services) {}

  base::Ref<const account::Principal> anonymous() override { return services_.anonymous(); }
  // Where the server asks for a token, the password is it.
  void authenticate(http::BasicCredentials credentials,
                    base::Done<base::Result<base::Ref<const account::Principal>>> done) override {
    std::string token = credentials.password;
    services_.authenticate({.user = std::move(credentials.user),
                            .password = std::move(credentials.password),
                            .token = std::move(token)},
                           std::move(done));
  }
  bus::OwnedPort open(base::Ref<const account::Principal> principal, bus::Receiver& receiver,
                      base::Ref<bus::Gate> gate) override {
    return services_.open(std::move(principal), receiver, std::move(gate));
  }

 private:
  Services& services_;
};

}  // namespace spanwire::wire
