#include "config/parser.h"

#include <doctest/doctest.h>

#include <string>

#include "sources.h"

using namespace spanwire;
using config_test::shown;
using config_test::World;

namespace {

bool starts(const std::string& text, std::string_view with) {
  return text.rfind(with, 0) == 0;
}

// Refused at that place, "line:column".
bool refused_at(std::string_view text, const std::string& place, const World& world = {}) {
  const std::string got = shown(text, world);
  CAPTURE(got);
  const bool there = starts(got, "error: dir/main.conf:" + place + ": ");
  CHECK(there);
  return there;
}

}  // namespace

TEST_CASE("parser: a key and its value are parted by =, : or a blank") {
  CHECK(shown("a=1\nb:2\nc 3\nd = 4\ne : 5\nf\t6") == R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6})");
  CHECK(shown("a:=1\nb==2\n") == R"({"a":"=1","b":"=2"})");
  CHECK(shown("") == "{}");
}

TEST_CASE("parser: a line end, a comma or a semicolon ends a value") {
  CHECK(shown("a=1,b=2;c=3\r\nd=4\n\n\ne=5") == R"({"a":1,"b":2,"c":3,"d":4,"e":5})");
  CHECK(shown("m { a:1, b:2; c:3\n d:4 }") == R"({"m":{"a":1,"b":2,"c":3,"d":4}})");
  CHECK(refused_at("a=1 b=2", "1:5"));
  CHECK(refused_at("m { a:1 b:2 }", "1:9"));
  CHECK(refused_at("a=1,,b=2", "1:5"));
  CHECK(refused_at("a=1;;", "1:5"));
}

TEST_CASE("parser: # and // begin a comment where a key may stand and after a value") {
  CHECK(shown("# x\na=1 # x\nb=2 // x\n// x\nc { # x\n d:1 // x\n # x\n}\ne [ # x\n 1 # x\n]#") ==
        R"({"a":1,"b":2,"c":{"d":1},"e":[1]})");
  CHECK(shown("a = #fff\nb = //host\nc = x#y\nk#ey = 1") ==
        R"({"a":"#fff","b":"//host","c":"x#y","k#ey":1})");
  CHECK(refused_at("a=1 / x", "1:5"));
  CHECK(refused_at("/etc = 1", "1:1"));
}

TEST_CASE("parser: the value of a top-level key stands on the line of its separator") {
  CHECK(shown("a\n=1\nb\n2") == R"({"a":1,"b":2})");
  CHECK(refused_at("a =\n1", "1:4"));
  CHECK(shown("m { a:\n 1 }") == R"({"m":{"a":1}})");
  CHECK(refused_at("a", "1:2"));
  CHECK(refused_at("m { a }", "1:7"));
  CHECK(refused_at("m { a: , b: 1 }", "1:8"));
}

TEST_CASE("parser: a value that ends before it began is an empty string") {
  CHECK(shown("a =") == R"({"a":""})");
  CHECK(shown("a = ;b = ,c=\"\";d=''") == R"({"a":"","b":"","c":"","d":""})");
}

TEST_CASE("parser: text needs no quotes up to a blank, a comma, a semicolon or a bracket's end") {
  CHECK(shown("a = x=y:z{w[\nb=nats://u:p@h:1\nc [ x,y ]\nd{ = 1") ==
        "error: dir/main.conf:4:1: a key ends before '{'; put a blank between them");
  CHECK(shown("a = x=y:z{w[\nb=nats://u:p@h:1\nc [ x,y ]") ==
        R"({"a":"x=y:z{w[","b":"nats://u:p@h:1","c":["x","y"]})");
  CHECK(refused_at("a = two words", "1:9"));
  CHECK(refused_at("a = it's", "1:7"));
}

TEST_CASE("parser: escapes count in double quotes and without quotes, never in single ones") {
  CHECK(shown(R"(a = "t\tn\nr\rq\"b\\x\x41")") == R"({"a":"t\tn\nr\rq\"b\\xA"})");
  CHECK(shown(R"(a = x\x41\\)") == R"({"a":"xA\\"})");
  CHECK(shown(R"(a = 'x\x41\q')") == R"({"a":"x\\x41\\q"})");
  CHECK(refused_at(R"(a = "C:\files")", "1:8"));
  CHECK(refused_at(R"(a = "\x4g")", "1:6"));
  CHECK(refused_at(R"(a = "\x4)", "1:6"));
  CHECK(refused_at(R"(a = C:\files)", "1:7"));
}

TEST_CASE("parser: quotes may span lines, and must be closed") {
  CHECK(shown("a = \"x\ny\"\nb = 'x\ny'\nc = 1") == R"({"a":"x\ny","b":"x\ny","c":1})");
  CHECK(refused_at("b=1\na = \"x\ny", "2:5"));
  CHECK(refused_at("b=1\na = 'x\ny", "2:5"));
}

TEST_CASE("parser: keys may be quoted, without escapes") {
  CHECK(shown(R"("a b" = 1)"
              "\n"
              R"('c"d': 2, "" 3)") == R"({"":3,"a b":1,"c\"d":2})");
  CHECK(shown(R"(m { "/x" 1, 'y': 2 })") == R"({"m":{"/x":1,"y":2}})");
  CHECK(refused_at("\"a = 1\n", "1:1"));
  CHECK(refused_at("= 1", "1:1"));
  CHECK(refused_at("m { : 1 }", "1:5"));
}

TEST_CASE("parser: true, yes, on, false, no and off are booleans in any case, unless quoted") {
  CHECK(shown("a=true,b=YES,c=On,d=False,e=no,f=OFF") ==
        R"({"a":true,"b":true,"c":true,"d":false,"e":false,"f":false})");
  CHECK(shown("a='true',b=\"on\",c=trueish,d=y") ==
        R"({"a":"true","b":"on","c":"trueish","d":"y"})");
}

TEST_CASE("parser: k, m, g, t, p, e count in thousands, with b, i or ib in units of 1024") {
  CHECK(shown("a=1k,b=1K,c=1kb,d=1ki,e=1KiB,f=2m,g=2mb,h=2MiB,i=3g,j=3gb,k=1t,l=1tb") ==
        R"({"a":1000,"b":1000,"c":1024,"d":1024,"e":1024,"f":2000000,"g":2097152,"h":2097152,)"
        R"("i":3000000000,"j":3221225472,"k":1000000000000,"l":1099511627776})");
  CHECK(shown("a=1p,b=1pb,c=1e,d=1eb,e=-1k") ==
        R"({"a":1000000000000000,"b":1125899906842624,"c":1000000000000000000,)"
        R"("d":1152921504606846976,"e":-1000})");
  CHECK(refused_at("a=1kbb", "1:3"));
  CHECK(shown("a=1bi,b=1kbx,c=1_k") == R"({"a":"1bi","b":"1kbx","c":"1_k"})");
}

TEST_CASE("parser: an integer of more than 64 bits is refused, with its suffix too") {
  CHECK(shown("a=9223372036854775807,b=-9223372036854775808") ==
        R"({"a":9223372036854775807,"b":-9223372036854775808})");
  CHECK(refused_at("a=9223372036854775808", "1:3"));
  CHECK(refused_at("a=9223372036854775807k", "1:3"));
  CHECK(refused_at("a=10e", "1:3"));
  CHECK(refused_at("a=99999999999999999999999", "1:3"));
}

TEST_CASE("parser: what begins with a digit is a number, a date, an address or text") {
  CHECK(shown("a=007,b=-5,c=1.5,d=-0.25,e=127.0.0.1:4222,f=10ms,g=1h30m,h=0x10,i=4222/tcp") ==
        R"({"a":7,"b":-5,"c":1.5,"d":-0.25,"e":"127.0.0.1:4222","f":"10ms","g":"1h30m",)"
        R"("h":"0x10","i":"4222/tcp"})");
  CHECK(shown("a=5m") == R"({"a":5000000})");
  CHECK(refused_at("a=1m30s", "1:5"));
  CHECK(refused_at("a=1.5s", "1:6"));
  CHECK(refused_at("a=1.", "1:3"));
  CHECK(refused_at("a=.5", "1:3"));
  CHECK(refused_at("a=-x", "1:3"));
  CHECK(refused_at("a=1e5", "1:5"));
}

TEST_CASE("parser: the first character after digits is text, whatever it means elsewhere") {
  CHECK(shown("a=5]x\nb=5\\x41\nc=5'x") == R"({"a":"5]x","b":"5\\x41","c":"5'x"})");
}

TEST_CASE("parser: a date has the full form in UTC, and exists") {
  CHECK(shown("a=2024-02-29T23:59:59Z") == R"({"a":"2024-02-29T23:59:59Z"})");
  const auto tree = World{}.parse("a=1970-01-02T00:00:01Z");
  REQUIRE(tree);
  CHECK(tree->root.find("a")->kind == config::Kind::datetime);
  CHECK(tree->root.find("a")->integer == 86'401);
  CHECK(refused_at("a=2023-02-29T00:00:00Z", "1:3"));
  CHECK(refused_at("a=2023-01-01T24:00:00Z", "1:3"));
  CHECK(refused_at("a=2023-01-01", "1:3"));
  CHECK(refused_at("a=550-8400", "1:3"));
}

TEST_CASE("parser: a block string goes from ( to a line with only )") {
  CHECK(shown("a (\nx (y) z\n)\nb = 1") == R"({"a":"\nx (y) z\n","b":1})");
  CHECK(shown("a = (x\n ) \n)x\n)") == R"({"a":"x\n ) \n)x\n"})");
  CHECK(shown("a = (\r\nx\r\n)\r\nb=1") == R"({"a":"\r\nx\r\n","b":1})");
  CHECK(refused_at("a = (x)", "1:5"));
  CHECK(refused_at("a = (\nx\n) y", "1:5"));
}

TEST_CASE("parser: the values of a list are parted by commas or line ends") {
  CHECK(shown("a [x, y]\nb [\n x\n y,\n\n z\n]\nc []\nd=[[1],[ {e:1}, {f:2} ]]") ==
        R"({"a":["x","y"],"b":["x","y","z"],"c":[],"d":[[1],[{"e":1},{"f":2}]]})");
  CHECK(refused_at("key [a b]", "1:8"));
  CHECK(refused_at("key [a,,b]", "1:8"));
  CHECK(refused_at("key [a\n,b]", "2:1"));
  CHECK(refused_at("key [a;b]", "1:7"));
  CHECK(refused_at("key [{a:1}{b:2}]", "1:11"));
  CHECK(refused_at("key [ /etc ]", "1:7"));
}

TEST_CASE("parser: a number may end right before its list, one with a suffix is text there") {
  CHECK(shown("a [1,2]\nb=[-1]\nc=[1.5]\nd=[10ms, 5m]") ==
        R"({"a":[1,2],"b":[-1],"c":[1.5],"d":["10ms","5m"]})");
}

TEST_CASE("parser: a whole file may stand in braces") {
  CHECK(shown("{ \"a\": 1, \"b\": { \"c\": [true] } }\n") == R"({"a":1,"b":{"c":[true]}})");
  CHECK(shown("{\n a: 1\n b: 2\n}\nc: 3") == R"({"a":1,"b":2,"c":3})");
  CHECK(refused_at("{ a: 1\n", "2:1"));
  CHECK(refused_at("{ a: 1 b: 2 }", "1:8"));
}

TEST_CASE("parser: brackets must match, but one '}' may be too many at the very end") {
  CHECK(refused_at("a { b: 1", "1:9"));
  CHECK(refused_at("a [1", "1:5"));
  CHECK(refused_at("a [1}", "1:5"));
  CHECK(refused_at("a { b: 1 ]", "1:10"));
  CHECK(refused_at("a = 1\n}\nb = 2", "2:1"));
  CHECK(refused_at("a { { b: 1 } }", "1:5"));
  const auto tree = World{}.parse("a = 1\n}\n");
  CHECK(shown(tree) == R"({"a":1})");
  REQUIRE(tree);
  REQUIRE(tree->warnings.size() == 1);
  CHECK(tree->where(tree->warnings[0].at) == "dir/main.conf:2:1");
}

TEST_CASE("parser: of a name that is set twice the last counts, with a warning") {
  const auto tree = World{}.parse("a = 1\nb = 2\na { c: 3 }");
  CHECK(shown(tree) == R"({"a":{"c":3},"b":2})");
  REQUIRE(tree);
  REQUIRE(tree->warnings.size() == 1);
  CHECK(tree->warnings[0].text == "'a' is set again; what dir/main.conf:1:1 says no longer counts");
  CHECK(tree->where(tree->warnings[0].at) == "dir/main.conf:3:1");
}

TEST_CASE("parser: values and keys know their line and column") {
  const auto tree = World{}.parse("a = 1\nmap {\n  key: 'x'\n  list [ 1,\n 22 ]\n}");
  REQUIRE(tree);
  const config::Value* map = tree->root.find("map");
  REQUIRE(map != nullptr);
  CHECK(tree->where(map->at) == "dir/main.conf:2:5");
  CHECK(tree->where(map->members[0].name_at) == "dir/main.conf:3:3");
  CHECK(tree->where(map->members[0].value.at) == "dir/main.conf:3:8");
  CHECK(tree->where(map->members[1].value.items[1].at) == "dir/main.conf:5:2");
}

TEST_CASE("parser: a NUL byte is refused where it stands") {
  CHECK(refused_at(std::string_view("a = 1\nb = \0x", 11), "2:5"));
}

TEST_CASE("parser: a byte order mark and the spaces of Unicode are skipped before keys") {
  CHECK(shown("\xEF\xBB\xBF"
              "a = 1\n\xC2\xA0"
              "b = 2\n\xE2\x80\x83"
              "c = 3") == R"({"a":1,"b":2,"c":3})");
}

TEST_CASE("parser: brackets nest up to the limit, and no further") {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string text = "a = ";
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1 ";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  CHECK(starts(shown(nested(config::max_depth, "[", "]")), "{"));
  CHECK(starts(shown(nested(config::max_depth + 1, "[", "]")), "error: dir/main.conf:1:65: "));
  CHECK(starts(shown(nested(config::max_depth, "{x:", "}")), "{"));
  CHECK(starts(shown(nested(config::max_depth + 1, "{x:", "}")), "error: "));
  CHECK(starts(shown(std::string(200'000, '{')), "error: "));
}

TEST_CASE("parser: a text cut at any byte is parsed or refused, never more") {
  const std::string text =
      "# c\nport: 4222, host 'x' // c\nm { a: \"x\\n\\x41\", b [1k, -2.5, {c:on}] }\n"
      "t (\nblock\n)\nu = $port\nd = 2020-01-02T03:04:05Z; e = 10.0.0.1:80\ninclude \"i\"\n";
  const World world{.files = {{"dir/i", "z = 1\n"}}};
  CHECK(starts(shown(text, world), "{"));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string got = shown(text.substr(0, size), world);
    CAPTURE(got);
    CHECK((starts(got, "{") || starts(got, "error: dir/")));
  }
}

TEST_CASE("digest: the text is JSON with sorted keys and a line end, escaped as Go escapes it") {
  const auto tree = World{}.parse("b = \"<\\xff>\"\na { z: [1.5, -1k ], y: {} }\nc = 1e\nd = []");
  REQUIRE(tree);
  CHECK(config::digest_text(*tree) ==
        R"({"a":{"y":{},"z":[1.5,-1000]},"b":"\u003c\ufffd\u003e","c":1000000000000000000,"d":[]})"
        "\n");
}
