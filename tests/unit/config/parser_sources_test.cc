// What the parser takes from elsewhere: variables, the environment, included files.
#include <doctest/doctest.h>

#include <string>

#include "config/parser.h"
#include "sources.h"

using namespace spanwire;
using config_test::shown;
using config_test::World;

TEST_CASE("variable: it is the last value of that key above, in the blocks around it") {
  CHECK(shown("x = 1\na = $x\nx = 2\nb = $x") == R"({"a":1,"b":2,"x":2})");
  CHECK(shown("x = 1\nm { y: 2, n { a: $x, b: $y, x: 3, c: $x } }") ==
        R"({"m":{"n":{"a":1,"b":2,"c":3,"x":3},"y":2},"x":1})");
  CHECK(shown("m { y: 2 }\na = $y") ==
        "error: dir/main.conf:2:5: $y is not set; set it above this line or in the environment, or "
        "put the value in quotes if it is no variable");
  CHECK(shown("a = $a") ==
        "error: dir/main.conf:1:5: $a is not set; set it above this line or in the environment, or "
        "put the value in quotes if it is no variable");
}

TEST_CASE("variable: names are compared with their case") {
  const World world{.environment = {{"X", "env"}}};
  CHECK(shown("x = 1\na = $X", world) == R"({"a":"env","x":1})");
}

TEST_CASE("variable: it may stand for a list or a block, and in a list") {
  CHECK(shown("l = [1, {a: 2}]\nm { n: $l }\nk = [$l, $m]") ==
        R"({"k":[[1,{"a":2}],{"n":[1,{"a":2}]}],"l":[1,{"a":2}],"m":{"n":[1,{"a":2}]}})");
}

TEST_CASE("variable: quoted or escaped text and bcrypt hashes are none") {
  CHECK(shown("a = \"$x\", b = '$x', c = \\x24x") == R"({"a":"$x","b":"$x","c":"$x"})");
  CHECK(shown("a = $2a$11$PWI/abc.def") == R"({"a":"$2a$11$PWI/abc.def"})");
  CHECK(shown("a = $2b$11$x").rfind("error: dir/main.conf:1:5: $2b$11$x is not set", 0) == 0);
}

TEST_CASE("variable: the value that it found is marked, the place it went to is not") {
  const auto tree = World{}.parse("x = 1\nm { y: 2, a: $y, b: $x }\nz = 1");
  REQUIRE(tree);
  CHECK(tree->root.find("x")->referenced);
  CHECK(tree->root.find("m")->find("y")->referenced);
  CHECK_FALSE(tree->root.find("m")->find("a")->referenced);
  CHECK_FALSE(tree->root.find("z")->referenced);
}

TEST_CASE("environment: a value is read as if it stood in the file") {
  const World world{.environment = {{"I", "1k"},
                                    {"T", "plain"},
                                    {"Q", "'two words'"},
                                    {"E", ""},
                                    {"L", "[a, {b: 1}]"},
                                    {"R", "$I"},
                                    {"B", "$2a$10$abc"}}};
  CHECK(shown("a=$I,b=$T,c=$Q,d=$E,e=$L,f=$R,g=$B", world) ==
        R"({"a":1000,"b":"plain","c":"two words","d":"","e":["a",{"b":1}],"f":1000,)"
        R"("g":"$2a$10$abc"})");
}

TEST_CASE("environment: an unfit value is an error at the place that uses it") {
  const World world{.environment = {{"BAD", "two words"}}};
  CHECK(shown("\na = $BAD", world) ==
        "error: dir/main.conf:2:5: 'w' after the value of 'value'; begin a new line or write ',' "
        "between settings, or put a value with blanks in quotes (in the value of the environment "
        "variable BAD)");
}

TEST_CASE("environment: a cycle is refused, and a chain has a limit") {
  const World cycle{.environment = {{"A", "$B"}, {"B", "$A"}, {"C", "$C"}}};
  CHECK(shown("x = $A", cycle).find("the environment variable A refers to itself") !=
        std::string::npos);
  CHECK(shown("x = $C", cycle).find("the environment variable C refers to itself") !=
        std::string::npos);
  World chain{.environment = {{"V0", "end"}}};
  for (int i = 1; i < 40; ++i)
    chain.environment["V" + std::to_string(i)] = "$V" + std::to_string(i - 1);
  CHECK(shown("x = $V15", chain) == R"({"x":"end"})");
  CHECK(shown("x = $V16", chain).find("too many environment variables") != std::string::npos);
}

TEST_CASE("include: its settings stand where the include stands") {
  const World world{.files = {{"dir/a.conf", "x = 1\nm { y: 2 }\n"}, {"dir/sub/b", "z = 3"}}};
  CHECK(shown("include a.conf\nb = $x", world) == R"({"b":1,"m":{"y":2},"x":1})");
  CHECK(shown("k { include 'a.conf'\n c: $x }", world) == R"({"k":{"c":1,"m":{"y":2},"x":1}})");
  CHECK(shown("INCLUDE \"./sub/b\";q = 1", world) == R"({"q":1,"z":3})");
  CHECK(shown("k {include sub/../sub//b}", world) == R"({"k":{"z":3}})");
}

TEST_CASE("include: with a separator it is a key like any other") {
  CHECK(shown("include: 5\nm { include= a }") == R"({"include":5,"m":{"include":"a"}})");
}

TEST_CASE("include: it needs a name that cannot be mistaken for another value") {
  for (const char* text :
       {"include\n", "include ", "include [a]", "include {a:1}", "include (a", "include 1.conf",
        "include -a", "include \\a", "include \"a", "include ''"}) {
    CAPTURE(text);
    CHECK(shown(text, {}).rfind("error: dir/main.conf:1:1: ", 0) == 0);
  }
  CHECK(shown("include '1.conf'", {.files = {{"dir/1.conf", "a=1"}}}) == R"({"a":1})");
}

TEST_CASE("include: an included file sees the environment, not the variables around it") {
  const World world{.files = {{"dir/a", "y = $x"}}, .environment = {{"x", "env"}}};
  CHECK(shown("x = 1\ninclude a", world) == R"({"x":1,"y":"env"})");
  const World bare{.files = {{"dir/a", "y = $x"}}};
  CHECK(shown("x = 1\ninclude a", bare).rfind("error: dir/a:1:5: $x is not set", 0) == 0);
}

TEST_CASE("include: names are relative to the file that includes, even with a slash in front") {
  CHECK(config::include_path("/etc/nats/main.conf", "a.conf") == "/etc/nats/a.conf");
  CHECK(config::include_path("/etc/nats/main.conf", "../a.conf") == "/etc/a.conf");
  CHECK(config::include_path("/etc/nats/main.conf", "/a.conf") == "/etc/nats/a.conf");
  CHECK(config::include_path("/main.conf", "/etc/a.conf") == "/etc/a.conf");
  CHECK(config::include_path("main.conf", "./x//a.conf") == "x/a.conf");
  CHECK(config::include_path("main.conf", "/abs/a.conf") == "abs/a.conf");
  CHECK(config::include_path("x/main.conf", "../../a") == "../a");
  CHECK(config::include_path("/x/main.conf", "../../../a") == "/a");
  CHECK(config::include_path("main.conf", "x/..") == ".");
  CHECK(config::include_path("", "a") == "a");
}

TEST_CASE("include: errors and values name the included file") {
  const World world{.files = {{"dir/a", "\n x = [1"}, {"dir/b", "\n  y = 1"}}};
  CHECK(shown("include a", world).rfind("error: dir/a:2:8: ", 0) == 0);
  const auto tree = world.parse("include b");
  REQUIRE(tree);
  CHECK(tree->where(tree->root.members[0].name_at) == "dir/b:2:3");
  CHECK(shown("x=1\ninclude none") == "error: dir/main.conf:2:1: cannot read dir/none");
}

TEST_CASE("include: a cycle is refused by the name of the file") {
  const World world{.files = {{"dir/a", "include b"}, {"dir/b", "include ./a"}}};
  CHECK(shown("include a", world) ==
        "error: dir/b:1:1: dir/a includes itself; remove one of the includes");
  CHECK(shown("include main.conf", {}) ==
        "error: dir/main.conf:1:1: dir/main.conf includes itself; remove one of the includes");
}

TEST_CASE("include: depth, number and size of files have limits") {
  World deep;
  for (int i = 0; i < 40; ++i) {
    deep.files["dir/f" + std::to_string(i)] = "include f" + std::to_string(i + 1);
  }
  deep.files["dir/f15"] = "x = 1";
  CHECK(shown("include f0", deep) == R"({"x":1})");
  deep.files["dir/f15"] = "include f16";
  CHECK(shown("include f0", deep).find("too many files") != std::string::npos);

  World many{.files = {{"dir/a", "x = 1"}}, .limits = {.files = 3}};
  CHECK(shown("include a\ninclude a", many) == R"({"x":1})");
  CHECK(shown("include a\ninclude a\ninclude a", many).find("too many files") != std::string::npos);

  const World large{.files = {{"dir/a", std::string(100, ' ')}}, .limits = {.text_bytes = 100}};
  CHECK(shown("include a", large).find("too large") != std::string::npos);
  CHECK(shown(std::string(101, ' '), large) ==
        "error: dir/main.conf: the configuration is too large; split it");
}

TEST_CASE("include: brackets around it count for the depth of what it has") {
  std::string around;
  for (std::size_t i = 0; i < config::max_depth; ++i) around += "m { ";
  const World flat{.files = {{"dir/a", "x = 1"}}};
  const World nested{.files = {{"dir/a", "x = [1]"}}};
  const std::string close(config::max_depth, '}');
  CHECK(shown(around + "include a\n" + close, flat)[0] == '{');
  CHECK(shown(around + "include a\n" + close, nested).rfind("error: dir/a:1:5: more than", 0) == 0);
}

TEST_CASE("limits: values that variables repeat count each time, in number and depth") {
  const World small{.limits = {.values = 20}};
  CHECK(shown("a=[1,2,3,4]\nb=[$a,$a]", small)[0] == '{');
  CHECK(shown("a=[1,2,3,4]\nb=[$a,$a]\nc=[$b,$b]", small).find("too large") != std::string::npos);
  CHECK(
      shown("a=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]", small).find("too large") !=
      std::string::npos);
  std::string chain = "v0 = [1]\n";
  for (int i = 1; i < 80; ++i) {
    chain += "v" + std::to_string(i) + " = [$v" + std::to_string(i - 1) + "]\n";
  }
  CHECK(shown(chain).find("error: dir/main.conf:60:8: more than 60 brackets") == 0);
}

TEST_CASE("limits: warnings are not kept without end") {
  const World world{.limits = {.warnings = 3}};
  const auto tree = world.parse("a=1\na=1\na=1\na=1\na=1\na=1\n");
  REQUIRE(tree);
  CHECK(tree->warnings.size() == 3);
}

TEST_CASE("file: parse_file reads through the reader that it is given") {
  const World world{.files = {{"x.conf", "a = 1"}}};
  CHECK(shown(config::parse_file("x.conf", world.sources())) == R"({"a":1})");
  CHECK(shown(config::parse_file("y.conf", world.sources())) == "error: cannot read y.conf");
}

TEST_CASE("file: what is wrong in a file is called a parse error, a file that is missing is not") {
  const World world{.files = {{"x.conf", "a = }"}}};
  const std::string wrong = shown(config::parse_file("x.conf", world.sources()));
  CHECK(wrong.substr(0, 30) == "error: Parse error: x.conf:1:5");
  const std::string missing = shown(config::parse_file("z.conf", world.sources()));
  CHECK(missing == "error: cannot read z.conf");
}
