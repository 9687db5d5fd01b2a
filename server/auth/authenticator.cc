#include "auth/authenticator.h"

#include "crypto/password.h"

namespace spanwire::auth {
namespace {

bool secret_matches(const std::string& secret, const std::string& given) {
  return crypto::is_bcrypt(secret) ? crypto::bcrypt_matches(secret, given)
                                   : crypto::equal_in_constant_time(secret, given);
}

}  // namespace

Authenticator::Authenticator(Settings settings)
    : settings_(std::move(settings)),
      account_(
          base::make_ref<account::Account>(account::global_account, account::global_account_name)) {
  if (!settings_.required()) anonymous_ = principal("");
}

const Settings::User* Authenticator::find(std::string_view name) const {
  for (const Settings::User& user : settings_.users) {
    if (user.name == name) return &user;
  }
  return nullptr;
}

base::Ref<const account::Principal> Authenticator::principal(std::string user) const {
  auto made = base::make_ref<account::Principal>();
  made->account = account_;
  made->user = std::move(user);
  return made;
}

bool Authenticator::is_slow(const wire::Credentials& credentials) const {
  if (!settings_.token.empty()) return crypto::is_bcrypt(settings_.token);
  const Settings::User* user = find(credentials.user);
  return user != nullptr && crypto::is_bcrypt(user->password);
}

base::Result<base::Ref<const account::Principal>> Authenticator::check(
    const wire::Credentials& credentials) const {
  if (!settings_.required()) return anonymous_;
  if (!settings_.token.empty()) {
    if (secret_matches(settings_.token, credentials.token)) return principal("");
    return base::fail("wrong token");
  }
  const Settings::User* user = find(credentials.user);
  if (user == nullptr) return base::fail("unknown user \"" + credentials.user + "\"");
  if (!secret_matches(user->password, credentials.password)) {
    return base::fail("wrong password of user \"" + credentials.user + "\"");
  }
  return principal(user->name);
}

std::vector<base::Ref<const account::Principal>> Authenticator::internal() const {
  return {principal({})};
}

}  // namespace spanwire::auth
