#include "crypto/nkey.h"

#include <doctest/doctest.h>

#include <set>

#include "crypto/encoding.h"

using namespace spanwire;
using crypto::NkeyKind;
using crypto::parse_nkey;

TEST_CASE("nkey: published keys are read and written back") {
  // The first is the example of the nkeys package's documentation, the others ids that nats-server
  // 2.14.5 gave itself.
  struct Example {
    const char* text;
    NkeyKind kind;
  };
  for (const Example& example :
       {Example{"UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT", NkeyKind::user},
        Example{"NBWYFEUVMFHU7MXPIBYYRBFND7JC2A47JIKTFFYNTNYT46Z77ACVSYEC", NkeyKind::server},
        Example{"NDD3YJZGCPSPEAT3Q4D7MTX6V4KIUTMAZ4GGZM7AFAOKTVE537QPMVMJ", NkeyKind::server}}) {
    CAPTURE(example.text);
    const auto parsed = parse_nkey(example.text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->kind == example.kind);
    CHECK(parsed->key.size() == crypto::nkey_bytes);
    CHECK(crypto::to_text(*parsed) == example.text);
  }
}

TEST_CASE("nkey: the first letter shows the kind") {
  const std::string key(crypto::nkey_bytes, '\xff');
  CHECK(crypto::to_text({NkeyKind::account, key}).front() == 'A');
  CHECK(crypto::to_text({NkeyKind::cluster, key}).front() == 'C');
  CHECK(crypto::to_text({NkeyKind::server, key}).front() == 'N');
  CHECK(crypto::to_text({NkeyKind::operator_, key}).front() == 'O');
  CHECK(crypto::to_text({NkeyKind::user, key}).front() == 'U');
  CHECK(crypto::to_text({NkeyKind::curve, key}).front() == 'X');
}

TEST_CASE("nkey: a wrong digit anywhere, a cut and an addition are refused") {
  const std::string good = "UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT";
  for (std::size_t at = 0; at < good.size(); ++at) {
    CAPTURE(at);
    std::string wrong = good;
    wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
    CHECK_FALSE(parse_nkey(wrong).has_value());
    wrong[at] = '1';
    CHECK_FALSE(parse_nkey(wrong).has_value());
    CHECK_FALSE(parse_nkey(good.substr(0, at)).has_value());
  }
  CHECK_FALSE(parse_nkey(good + "A").has_value());
  CHECK_FALSE(parse_nkey("").has_value());
}

TEST_CASE("nkey: an unknown kind is refused though its checksum is right") {
  const std::string key(crypto::nkey_bytes, 'k');
  const auto strange = static_cast<NkeyKind>(5 << 3);
  CHECK_FALSE(parse_nkey(crypto::to_text({strange, key})).has_value());
  const auto private_key = static_cast<NkeyKind>(15 << 3);
  CHECK_FALSE(parse_nkey(crypto::to_text({private_key, key})).has_value());
}

TEST_CASE("nkey: each server id is a server's key and another one") {
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    const std::string id = crypto::make_server_id();
    CHECK(id.size() == crypto::nkey_digits);
    const auto parsed = parse_nkey(id);
    REQUIRE(parsed.has_value());
    CHECK(parsed->kind == NkeyKind::server);
    CHECK(ids.insert(id).second);
  }
}
