#include "crypto/encoding.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using crypto::from_base32;
using crypto::from_base64;
using crypto::from_base64url;
using crypto::from_hex;

TEST_CASE("encoding: the test vectors of the standard [RFC 4648, 10]") {
  struct Vector {
    std::string_view bytes, base64, base64url, base32, hex;
  };
  for (const Vector& v : {Vector{"", "", "", "", ""},
                          {"f", "Zg==", "Zg", "MY", "66"},
                          {"fo", "Zm8=", "Zm8", "MZXQ", "666f"},
                          {"foo", "Zm9v", "Zm9v", "MZXW6", "666f6f"},
                          {"foob", "Zm9vYg==", "Zm9vYg", "MZXW6YQ", "666f6f62"},
                          {"fooba", "Zm9vYmE=", "Zm9vYmE", "MZXW6YTB", "666f6f6261"},
                          {"foobar", "Zm9vYmFy", "Zm9vYmFy", "MZXW6YTBOI", "666f6f626172"}}) {
    CAPTURE(v.bytes);
    CHECK(crypto::to_base64(v.bytes) == v.base64);
    CHECK(crypto::to_base64url(v.bytes) == v.base64url);
    CHECK(crypto::to_base32(v.bytes) == v.base32);
    CHECK(crypto::to_hex(v.bytes) == v.hex);
    CHECK(from_base64(v.base64) == v.bytes);
    CHECK(from_base64url(v.base64url) == v.bytes);
    CHECK(from_base32(v.base32) == v.bytes);
    CHECK(from_hex(v.hex) == v.bytes);
  }
}

TEST_CASE("encoding: every byte comes back, at every length") {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    CHECK(from_base64(crypto::to_base64(bytes)) == bytes);
    CHECK(from_base64url(crypto::to_base64url(bytes)) == bytes);
    CHECK(from_base32(crypto::to_base32(bytes)) == bytes);
    CHECK(from_hex(crypto::to_hex(bytes)) == bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST_CASE("encoding: base64 and base64url differ in two digits and take only their own") {
  const std::string bytes = "\xfb\xff\xbf";
  CHECK(crypto::to_base64(bytes) == "+/+/");
  CHECK(crypto::to_base64url(bytes) == "-_-_");
  CHECK_FALSE(from_base64("-_-_").has_value());
  CHECK_FALSE(from_base64url("+/+/").has_value());
}

TEST_CASE("encoding: a foreign byte anywhere is refused") {
  for (const char wrong : {'\0', '\n', ' ', '=', '!', '\x80', '\xff'}) {
    for (std::size_t at = 0; at < 8; ++at) {
      std::string text = "AAAABBBB";
      text[at] = wrong;
      CAPTURE(text);
      CHECK_FALSE(from_base64(text).has_value());
      CHECK_FALSE(from_base64url(text).has_value());
      CHECK_FALSE(from_base32(text).has_value());
      CHECK_FALSE(from_hex(text).has_value());
    }
  }
  CHECK_FALSE(from_base32("abcdabcd").has_value());  // lower case
  CHECK_FALSE(from_base32("ABCDABC1").has_value());
  CHECK(from_hex("aBcD").has_value());
  CHECK_FALSE(from_hex("aBcG").has_value());
}

TEST_CASE("encoding: a text cut at any byte decodes to less or to nothing, never to more") {
  const std::string bytes = "all of these bytes!";
  const std::string text = crypto::to_base64(bytes);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    CAPTURE(cut);
    const auto decoded = from_base64(std::string_view(text).substr(0, cut));
    CHECK(decoded.has_value() == (cut % 4 == 0));
    if (decoded) CHECK(bytes.starts_with(*decoded));
  }
}

TEST_CASE("encoding: what encoding would never give is refused") {
  CHECK_FALSE(from_base64("Zh==").has_value());  // bits beyond the byte
  CHECK_FALSE(from_base64("Zg=").has_value());   // padding too short
  CHECK_FALSE(from_base64("Zg").has_value());    // no padding
  CHECK_FALSE(from_base64("Z===").has_value());  // a digit that belongs to no byte
  CHECK_FALSE(from_base64("====").has_value());  // nothing but padding
  CHECK_FALSE(from_base64("==").has_value());    //
  CHECK_FALSE(from_base64("Zg==Zg==").has_value());
  CHECK_FALSE(from_base64url("Zg==").has_value());
  CHECK_FALSE(from_base64url("Z").has_value());
  CHECK_FALSE(from_base32("M").has_value());
  CHECK_FALSE(from_base32("MZ").has_value());
  CHECK_FALSE(from_base32("MZX").has_value());  // 15 bits: a digit too much for one byte
  CHECK_FALSE(from_hex("6").has_value());
}
