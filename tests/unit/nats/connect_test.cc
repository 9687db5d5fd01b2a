#include "nats/connect.h"

#include <doctest/doctest.h>

using namespace spanwire;

namespace {

nats::ConnectOptions parse(std::string_view json, nats::ConnectOptions options = {}) {
  const auto status = nats::parse_connect(json, options);
  REQUIRE_MESSAGE(status.has_value(), std::string(json));
  return options;
}

bool refused(std::string_view json) {
  nats::ConnectOptions options;
  options.name = "kept";
  const bool failed = !nats::parse_connect(json, options);
  CHECK((!failed || options.name == "kept"));
  return failed;
}

}  // namespace

TEST_CASE("nats connect: what is left out is verbose, pedantic and echo, and nothing else") {
  const auto options = parse("{}");
  CHECK(options.echo);
  CHECK(options.verbose);
  CHECK(options.pedantic);
  CHECK_FALSE(options.headers);
  CHECK_FALSE(options.no_responders);
  CHECK_FALSE(options.tls_required);
  CHECK_FALSE(options.new_account);
  CHECK(options.protocol == 0);
  CHECK(options.user.empty());
}

TEST_CASE("nats connect: every field is read") {
  const auto options =
      parse(R"({"echo":false,"verbose":false,"pedantic":false,"tls_required":true,"headers":true,)"
            R"("no_responders":true,"new_account":true,"protocol":1,"account":"A","nkey":"N",)"
            R"("jwt":"J","sig":"S","auth_token":"T","user":"U","pass":"P","name":"n","lang":"cpp",)"
            R"("version":"1.2.3","remote_account":"R","proxy_sig":"X",)"
            R"("import":{"allow":["a"],"deny":null},"export":null})");
  CHECK_FALSE(options.echo);
  CHECK_FALSE(options.verbose);
  CHECK_FALSE(options.pedantic);
  CHECK(options.tls_required);
  CHECK(options.headers);
  CHECK(options.no_responders);
  CHECK(options.new_account);
  CHECK(options.protocol == 1);
  CHECK(options.account == "A");
  CHECK(options.nkey == "N");
  CHECK(options.jwt == "J");
  CHECK(options.sig == "S");
  CHECK(options.auth_token == "T");
  CHECK(options.user == "U");
  CHECK(options.pass == "P");
  CHECK(options.name == "n");
  CHECK(options.lang == "cpp");
  CHECK(options.version == "1.2.3");
  CHECK(options.remote_account == "R");
  CHECK(options.proxy_sig == "X");
}

TEST_CASE("nats connect: a second CONNECT changes only what it names") {
  const auto first = parse(R"({"verbose":false,"name":"x","headers":true})");
  const auto second = parse(R"({"pedantic":false,"name":null})", first);
  CHECK_FALSE(second.verbose);
  CHECK_FALSE(second.pedantic);
  CHECK(second.name == "x");
  CHECK(second.headers);
}

TEST_CASE("nats connect: names in any case, the last wins, unknown members are ignored") {
  CHECK_FALSE(parse(R"({"VERBOSE":false})").verbose);
  CHECK_FALSE(parse(R"({"verbose":true,"verbose":false,"verbose":null})").verbose);
  CHECK(parse(R"({"bogus":[1,{"verbose":false}],"":{}})").verbose);
  CHECK(parse("null").verbose);
  CHECK_FALSE(parse(" \n{\"verbose\":false}\t ").verbose);
}

TEST_CASE("nats connect: strings that are no UTF-8 are repaired, not refused") {
  CHECK(parse("{\"name\":\"a\xff\"}").name == "a\xef\xbf\xbd");
  CHECK(parse(R"({"name":"\ud800x"})").name == "\xef\xbf\xbdx");
}

TEST_CASE("nats connect: every wrong type is refused") {
  for (const char* json : {R"({"echo":1})",
                           R"({"verbose":"true"})",
                           R"({"pedantic":0})",
                           R"({"tls_required":[]})",
                           R"({"headers":{}})",
                           R"({"no_responders":"x"})",
                           R"({"new_account":1})",
                           R"({"protocol":"1"})",
                           R"({"protocol":1.0})",
                           R"({"protocol":99999999999999999999})",
                           R"({"account":1})",
                           R"({"nkey":1})",
                           R"({"jwt":1})",
                           R"({"sig":1})",
                           R"({"auth_token":1})",
                           R"({"user":1})",
                           R"({"pass":1})",
                           R"({"name":1})",
                           R"({"lang":1})",
                           R"({"version":1})",
                           R"({"remote_account":1})",
                           R"({"proxy_sig":1})",
                           R"({"import":1})",
                           R"({"import":{"allow":1}})",
                           R"({"export":{"deny":[1]}})",
                           R"({"name":1,"name":"x"})"}) {
    CAPTURE(json);
    CHECK(refused(json));
  }
}

TEST_CASE("nats connect: what is no JSON object is refused") {
  for (const char* json : {"", "\r", "[]", "1", "\"x\"", "{", "{} x", "{\"a\":}", "true"}) {
    CAPTURE(json);
    CHECK(refused(json));
  }
}
