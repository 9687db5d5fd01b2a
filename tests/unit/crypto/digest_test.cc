#include "crypto/digest.h"

#include <doctest/doctest.h>

#include <string>

#include "crypto/encoding.h"

using namespace spanwire;

namespace {

std::string sha1_hex(std::string_view bytes) {
  return crypto::to_hex(crypto::sha1(bytes).view());
}
std::string sha256_hex(std::string_view bytes) {
  return crypto::to_hex(crypto::sha256(bytes).view());
}

constexpr std::string_view two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

}  // namespace

TEST_CASE("digest: SHA-1 of the standard's examples [FIPS 180]") {
  CHECK(sha1_hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(sha1_hex(two_blocks) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(sha1_hex(std::string(1'000'000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("digest: SHA-256 of the standard's examples [FIPS 180]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex(two_blocks) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("digest: a WebSocket key gets the answer that the standard shows [RFC 6455, 1.3]") {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  const auto digest = crypto::sha1(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  CHECK(crypto::to_base64(digest.view()) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("digest: a zero byte counts") {
  CHECK(crypto::sha256(std::string_view("a\0", 2)) != crypto::sha256("a"));
}
