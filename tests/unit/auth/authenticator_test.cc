#include "auth/authenticator.h"

#include <doctest/doctest.h>

using namespace spanwire;

namespace {

// bcrypt of "secret", cost 4.
constexpr const char* hash = "$2a$04$hTm4KDcw6rcKCMbDjEgkPO3iRgK/uTcEZZpZKWVSHwpaCQ0OBeAlC";

}  // namespace

TEST_CASE("auth: without users and token everybody is let in, without a name") {
  const auth::Authenticator open({});
  REQUIRE(open.anonymous());
  CHECK(open.anonymous()->account->name == "$G");
  CHECK(open.check({.user = "any", .password = "thing"}));
}

TEST_CASE("auth: with a user the right password is needed, and nobody is anonymous") {
  const auth::Authenticator closed({.users = {{"ann", "secret"}, {"bob", ""}}});
  CHECK_FALSE(closed.anonymous());
  const auto ann = closed.check({.user = "ann", .password = "secret"});
  REQUIRE(ann);
  CHECK((*ann)->user == "ann");
  CHECK_FALSE(closed.check({.user = "ann", .password = "secre"}));
  CHECK_FALSE(closed.check({.user = "ann"}));
  CHECK_FALSE(closed.check({.user = "eve", .password = "secret"}));
  CHECK_FALSE(closed.check({}));
  CHECK(closed.check({.user = "bob"}));
}

TEST_CASE("auth: a token is compared with the token, not with a password") {
  const auth::Authenticator closed({.token = "t0k"});
  CHECK(closed.check({.token = "t0k"}));
  CHECK_FALSE(closed.check({.token = "t0"}));
  CHECK_FALSE(closed.check({.user = "t0k", .password = "t0k"}));
  CHECK_FALSE(closed.check({}));
}

TEST_CASE("auth: a hashed password is slow to check, a plain one is not") {
  const auth::Authenticator closed({.users = {{"ann", hash}, {"bob", "plain"}}});
  CHECK(closed.is_slow({.user = "ann"}));
  CHECK_FALSE(closed.is_slow({.user = "bob"}));
  CHECK_FALSE(closed.is_slow({.user = "eve"}));
  CHECK_FALSE(closed.check({.user = "ann", .password = "other"}));
  CHECK_FALSE(closed.check({.user = "ann", .password = hash}));
}
