// How a peer becomes a Principal: users with passwords, or one token, from the configuration.
#pragma once

#include <string>
#include <vector>

#include "account/account.h"
#include "base/result.h"
#include "wire/services.h"

namespace spanwire::auth {

// From `authorization { … }` and the command line. Passwords and the token may be bcrypt hashes
// (`$2a$…`).
struct Settings {
  struct User {
    std::string name;
    std::string password;
  };
  std::vector<User> users;
  std::string token;

  bool required() const { return !users.empty() || !token.empty(); }
};

// Never changes; any thread may ask it.
class Authenticator {
 public:
  explicit Authenticator(Settings settings);

  // Null if credentials are required.
  const base::Ref<const account::Principal>& anonymous() const { return anonymous_; }
  bool required() const { return settings_.required(); }
  // The server's own, one for each account: they may do everything.
  std::vector<base::Ref<const account::Principal>> internal() const;
  // True if check() may take as long as a password hash does (0.1 s): run it on a helper thread.
  bool is_slow(const wire::Credentials& credentials) const;
  // The user, in the global account. The error names what did not match, for the log only.
  base::Result<base::Ref<const account::Principal>> check(
      const wire::Credentials& credentials) const;

 private:
  const Settings::User* find(std::string_view name) const;
  base::Ref<const account::Principal> principal(std::string user) const;

  Settings settings_;
  base::Ref<const account::Account> account_;
  base::Ref<const account::Principal> anonymous_;
};

}  // namespace spanwire::auth
