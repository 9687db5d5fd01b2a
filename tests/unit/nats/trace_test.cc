#include "nats/trace.h"

#include <doctest/doctest.h>

#include "nats/codec.h"

using namespace spanwire;

namespace {

nats::Command read(std::string_view line) {
  nats::Command command;
  REQUIRE(nats::decode(line, {.headers = true}, command).result == nats::Decode::ok);
  return command;
}

}  // namespace

TEST_CASE("trace: a CONNECT is shown without its secrets, and else as it came") {
  CHECK(nats::redact(R"({"user":"joe","pass":"s3cret","verbose":false})") ==
        R"({"user":"joe","pass":"[REDACTED]","verbose":false})");
  CHECK(nats::redact(R"({"auth_token" : "tok", "name":"n"})") ==
        R"({"auth_token" : "[REDACTED]", "name":"n"})");
  CHECK(nats::redact(R"({"sig":"S","jwt":"J","nkey":"N","proxy_sig":"P"})") ==
        R"({"sig":"[REDACTED]","jwt":"[REDACTED]","nkey":"[REDACTED]","proxy_sig":"[REDACTED]"})");
  CHECK(nats::redact("{}") == "{}");
  CHECK(nats::redact(R"({"name":"pass","lang":"\"pass\": \"x\""})") ==
        R"({"name":"pass","lang":"\"pass\": \"x\""})");
}

TEST_CASE("trace: a secret stays one however it is spelled") {
  // An escaped quote does not end the value, as it does for a search for quotes.
  CHECK(nats::redact(R"({"pass":"a\"b","x":1})") == R"({"pass":"[REDACTED]","x":1})");
  CHECK(nats::redact(R"({"pass":"a\\","user":"u"})") == R"({"pass":"[REDACTED]","user":"u"})");
  CHECK(nats::redact(R"({"PassWord":"x"})") == R"({"PassWord":"[REDACTED]"})");
  CHECK(nats::redact(R"({"p\u0061ss":"x"})") == R"({"p\u0061ss":"[REDACTED]"})");
  CHECK(nats::redact("{\"pa\u017fs\":\"x\",\"n\u212aey\":\"y\"}") ==
        "{\"pa\u017fs\":\"[REDACTED]\",\"n\u212aey\":\"[REDACTED]\"}");
  CHECK(nats::redact(R"({"auth_token":123,"a":1})") == R"({"auth_token":[REDACTED],"a":1})");
  CHECK(nats::redact(R"({"pass":{"a":["x","}"]},"a":1})") == R"({"pass":[REDACTED],"a":1})");
  CHECK(nats::redact(R"({"pass":["x",{"y":"z"}]})") == R"({"pass":[REDACTED]})");
  CHECK(nats::redact(R"({"a":{"pass":"x"}})") == R"({"a":{"pass":"[REDACTED]"}})");
  CHECK(nats::redact(R"({"pass":null})") == R"({"pass":[REDACTED]})");
}

TEST_CASE("trace: what is no JSON is not shown at all, cut at any byte") {
  const std::string_view whole = R"({"user":"joe","pass":"s3cret"})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(nats::redact(whole.substr(0, size)).find("s3") == std::string::npos);
  }
  CHECK(nats::redact("{pass: s3cret}") == "(14 bytes that are no JSON)");
}

TEST_CASE("trace: a line is shown as it came, but for the blanks behind its verb") {
  CHECK(nats::command_text(read("PING\r\n")) == "PING");
  CHECK(nats::command_text(read("sub\tbaz  3\r\n")) == "SUB baz  3");
  CHECK(nats::command_text(read("SUB bar q1 2\r\n")) == "SUB bar q1 2");
  CHECK(nats::command_text(read("UNSUB 3 5\r\n")) == "UNSUB 3 5");
  CHECK(nats::command_text(read("PUB foo rep 2\r\nhi\r\n")) == "PUB foo rep 2");
  CHECK(nats::command_text(read("HPUB foo 12 13\r\nNATS/1.0\r\n\r\nx\r\n")) == "HPUB foo 12 13");
  CHECK(nats::command_text(read("CONNECT {\"pass\":\"x\"}\r\n")) ==
        "CONNECT {\"pass\":\"[REDACTED]\"}");
}

TEST_CASE("trace: deliveries are shown as MSG or HMSG") {
  CHECK(nats::message_text("foo", "1", "", 0, 5) == "MSG foo 1 5");
  CHECK(nats::message_text("foo", "1", "rep", 0, 5) == "MSG foo 1 rep 5");
  CHECK(nats::message_text("foo", "1", "rep", 12, 17) == "HMSG foo 1 rep 12 17");
}

TEST_CASE("trace: a payload is quoted as Go does it, and cut at the limit") {
  CHECK(nats::payload_text("", "hello", 0) == "\"hello\"");
  CHECK(nats::payload_text("NATS/1.0\r\n\r\n", "x", 0) == "\"NATS/1.0\\r\\n\\r\\nx\"");
  CHECK(nats::payload_text("", std::string_view("h\"l\x00\x80", 5), 0) == "\"h\\\"l\\x00\\x80\"");
  CHECK(nats::payload_text("", "01234567", 8) == "\"01234567\"");
  CHECK(nats::payload_text("", "012345678", 8) == "\"01234567...\"");
  CHECK(nats::payload_text("NATS/1.0\r\n\r\n", "x", 8) == "\"NATS/1.0...\"");
  CHECK(nats::payload_text("NATS", "12345", 8) == "\"NATS1234...\"");
  CHECK(nats::payload_text("", std::string(1 << 20, 'x'), 0).size() == nats::max_traced_bytes + 5);
}

TEST_CASE("trace: a client is called what it said of itself and who it is") {
  nats::ConnectOptions options;
  CHECK(nats::client_label(options, "$G") == "");
  options.lang = "go";
  CHECK(nats::client_label(options, "$G") == " - \"go\"");
  options.version = "1.2";
  options.name = "n \"1";
  options.user = "joe";
  CHECK(nats::client_label(options, "$G") == " - \"v1.2:go:n \\\"1\" - \"$G/user:joe\"");
  options.user.clear();
  options.auth_token = "secret";
  CHECK(nats::client_label({.auth_token = "secret"}, "$G") == " - \"$G/token\"");
}
