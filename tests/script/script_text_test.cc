// The notations of scripts: what README.md says of texts and of what is expected.
#include <doctest/doctest.h>

#include "tests/script/script_match.h"
#include "tests/script/script_text.h"

using namespace spanwire;
using script::as_bytes;
using script::match;
using script::parse_line;
using script::parse_packets;
using script::Verdict;

TEST_CASE("script: a line ends in CR LF, unless a backslash takes its place") {
  CHECK(as_bytes(parse_line("PING")) == "PING\r\n");
  CHECK(as_bytes(parse_line("")) == "\r\n");
  CHECK(as_bytes(parse_line("PING\\n\\")) == "PING\n");
  CHECK(as_bytes(parse_line("a\\\\")) == "a\\\r\n");
}

TEST_CASE("script: escapes are bytes, an unknown one is an error") {
  CHECK(as_bytes(parse_line("\\x41\\t\\{\\}\\0\\")) == std::string("A\t{}\0", 5));
  CHECK_THROWS_AS(parse_line("\\q"), script::ScriptError);
  CHECK_THROWS_AS(parse_line("\\xg1"), script::ScriptError);
}

TEST_CASE("script: a brace that begins no placeholder is itself") {
  CHECK(as_bytes(parse_line("{\"a\":{}}")) == "{\"a\":{}}\r\n");
  CHECK(as_bytes(parse_line("{12}")) == "{12}\r\n");
}

TEST_CASE("script: a repetition may be nested and may hold escapes") {
  CHECK(as_bytes(parse_line("{2*a{3*b}\\n}\\")) == "abbb\nabbb\n");
  CHECK_THROWS_AS(parse_line("{2*{any}}"), script::ScriptError);
  CHECK_THROWS_AS(parse_line("{2*a"), script::ScriptError);
}

TEST_CASE("script: packets by name, flags, strings and counted brackets") {
  CHECK(as_bytes(parse_packets("PUBLISH+qos1+retain[ \"a/b\" 0007 'xy' ]")) ==
        std::string("\x33\x09\0\x03"
                    "a/b\0\x07xy",
                    11));
  CHECK(as_bytes(parse_packets("c000 PINGREQ[ ]")) == std::string("\xc0\0\xc0\0", 4));
  CHECK(as_bytes(parse_packets("30[ {200*'x'} ]")).substr(0, 3) == "\x30\xc8\x01");
  CHECK_THROWS_AS(parse_packets("PUBLISH[ 00"), script::ScriptError);
  CHECK_THROWS_AS(parse_packets("PUBLISH+qos3[ ]"), script::ScriptError);
  CHECK_THROWS_AS(parse_packets("123"), script::ScriptError);
}

TEST_CASE("script: a match ends where the text ends, its beginnings want more") {
  const script::Text text = parse_line("MSG {any} {number} 5");
  const std::string data = "MSG foo.bar 12 5\r\nrest";
  CHECK(match(text, data).verdict == Verdict::match);
  CHECK(match(text, data).end == 18);
  for (std::size_t i = 0; i < 18; ++i) {
    CHECK(match(text, data.substr(0, i)).verdict == Verdict::more);
  }
  CHECK(match(text, "MSG foo x 5\r\n").verdict == Verdict::mismatch);
  CHECK(match(text, "MSG  1 6\r\n").verdict == Verdict::mismatch);
  CHECK(match(parse_packets("90[ 0001 ?? ]"), std::string("\x90\x03\0\x01\x80", 5)).end == 5);
}

TEST_CASE("script: an object matches one that has its members and more") {
  const script::Text text = parse_line(R"(INFO {json {"a":1,"b":"{string}","c":"{absent}"}} )");
  const std::string good = "INFO {\"b\":\"}\",\"x\":[{}],\"a\":1} \r\n";
  CHECK(match(text, good).end == good.size());
  for (std::size_t i = 0; i < good.size(); ++i) {
    CHECK(match(text, good.substr(0, i)).verdict == Verdict::more);
  }
  CHECK(match(text, "INFO {\"b\":\"\",\"a\":2} \r\n").verdict == Verdict::mismatch);
  CHECK(match(text, "INFO {\"b\":1,\"a\":1} \r\n").verdict == Verdict::mismatch);
  CHECK(match(text, "INFO {\"a\":1} \r\n").verdict == Verdict::mismatch);
  CHECK(match(text, "INFO {\"b\":\"\",\"a\":1,\"c\":null} \r\n").verdict == Verdict::mismatch);
  CHECK(match(text, "INFO []").verdict == Verdict::mismatch);
}

TEST_CASE("script: a difference is said with its path") {
  const auto want = json::Document::parse(R"({"a":{"b":true}})");
  const auto have = json::Document::parse(R"({"a":{"b":1}})");
  CHECK(script::json_difference(want->root(), have->root()) == ".a.b: wanted true, got 1");
}
