#include "crypto/password.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using crypto::bcrypt_matches;

TEST_CASE("password: bcrypt hashes published with crypt_blowfish match their passwords") {
  struct Vector {
    const char* hash;
    const char* password;
  };
  for (const Vector& v :
       {Vector{"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
        Vector{"$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"},
        Vector{"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"},
        Vector{"$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
               "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               "chars after 72 are ignored"},
        Vector{"$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "\xa3"},
        Vector{"$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""}}) {
    CAPTURE(v.hash);
    CHECK(crypto::is_bcrypt(v.hash));
    CHECK(bcrypt_matches(v.hash, v.password));
    CHECK_FALSE(bcrypt_matches(v.hash, std::string("x") + v.password));
  }
}

TEST_CASE("password: the four letters of bcrypt mean the same, as in nats-server") {
  for (const char letter : {'a', 'b', 'x', 'y'}) {
    std::string hash = "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq";
    hash[2] = letter;
    CAPTURE(letter);
    CHECK(bcrypt_matches(hash, "\xa3"));
  }
  // What libcrypt's x makes of this password, with the old mistake.
  const char* mistaken = "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaR4EbggVDjb8P19RukzXSM3e";
  CHECK_FALSE(bcrypt_matches(mistaken, "\xa3"));
}

TEST_CASE("password: a hash cut at any byte, longer or changed matches nothing") {
  const std::string hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  for (std::size_t cut = 0; cut < hash.size(); ++cut) {
    CHECK_FALSE(bcrypt_matches(hash.substr(0, cut), "U*U"));
  }
  CHECK_FALSE(bcrypt_matches(hash + "W", "U*U"));
  for (std::size_t at = 4; at < hash.size(); at += 5) {
    std::string changed = hash;
    changed[at] = changed[at] == '4' ? '6' : '4';  // at 4, costs of 45 and up do not exist
    CAPTURE(changed);
    CHECK_FALSE(bcrypt_matches(changed, "U*U"));
  }
  CHECK_FALSE(
      bcrypt_matches("$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"));
  CHECK_FALSE(
      bcrypt_matches("$2a$05$C:CCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"));
}

TEST_CASE("password: what follows a NUL byte is not overlooked") {
  const std::string_view longer("U*U\0tail", 8);
  CHECK_FALSE(
      bcrypt_matches("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", longer));
}

TEST_CASE("password: what only looks like a hash is a plain secret") {
  for (const char* plain :
       {"", "$", "$2", "$2a", "$2a$", "$2a$1", "$2a$10", "$2c$10$x", "$2$10$xxx", "2a$10$x",
        "$1$ab$x", "$2a$1x$x", "$2A$10$x", " $2a$10$x"}) {
    CAPTURE(plain);
    CHECK_FALSE(crypto::is_bcrypt(plain));
    CHECK_FALSE(bcrypt_matches(plain, plain));
  }
  CHECK(crypto::is_bcrypt("$2a$10$"));  // a broken hash, but not a secret to be sent as it is
}

TEST_CASE("password: texts are equal if all their bytes and their lengths are") {
  using crypto::equal_in_constant_time;
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time("s3cret", "s3cret"));
  CHECK_FALSE(equal_in_constant_time("s3cret", "s3creT"));
  CHECK_FALSE(equal_in_constant_time("s3cret", "S3cret"));
  CHECK_FALSE(equal_in_constant_time("s3cret", "s3cre"));
  CHECK_FALSE(equal_in_constant_time("", "s"));
  CHECK_FALSE(equal_in_constant_time({"a\0b", 3}, {"a\0c", 3}));
}
