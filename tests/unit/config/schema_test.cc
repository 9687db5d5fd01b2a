#include "config/schema.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "sources.h"

using namespace spanwire;
using namespace std::chrono_literals;
using config::Key;
using config::Type;
using config_test::World;

namespace {

config::Schema user_keys() {
  return config::Schema::of({
      {.name = "user", .type = Type::text, .doc = "name", .aliases = {"username"}},
      {.name = "password", .type = Type::text, .doc = "secret", .required = true},
  });
}

// A key of each type, under names that the reference knows or does not.
config::Schema server_keys() {
  return config::Schema::of(
      {
          {.name = "port",
           .type = Type::integer,
           .doc = "the port",
           .default_text = "4222",
           .min = -1,
           .max = 65535},
          {.name = "host", .default_text = "0.0.0.0", .aliases = {"net"}},
          {.name = "listen", .type = Type::listen},
          {.name = "debug", .type = Type::boolean, .default_text = "off", .reloadable = true},
          {.name = "max_payload", .type = Type::size, .default_text = "1mb", .min = 1},
          {.name = "max_mem", .type = Type::size, .quoted_size = true},
          {.name = "ping_interval",
           .type = Type::duration,
           .default_text = "2m",
           .min = 0,
           .reloadable = true},
          {.name = "timeout", .type = Type::duration, .plain_seconds = true},
          {.name = "ratio", .type = Type::real, .default_text = "0.5"},
          {.name = "level", .type = Type::text, .choices = {"low", "high"}},
          {.name = "server_tags", .type = Type::text_list, .default_text = "a, b"},
          {.name = "compression",
           .type = Type::boolean,
           .block = config::Schema::of({{.name = "mode", .default_text = "auto"}})},
          {.name = "mqtt",
           .type = Type::block,
           .block = config::Schema::of(
               {{.name = "port", .type = Type::integer, .default_text = "1883"},
                {.name = "users", .type = Type::block_list, .block = user_keys()}})},
          {.name = "accounts",
           .type = Type::named_blocks,
           .block = config::Schema::of(
               {{.name = "users", .type = Type::block_list, .block = user_keys()}})},
          {.name = "mappings", .type = Type::raw},
      },
      &config::reference_keys());
}

struct Checked {
  config::Problems problems;
  base::Result<config::Values> values;
};

Checked check(std::string_view text, const config::Schema& schema = server_keys(),
              const World& world = {}) {
  const base::Result<config::Tree> tree = world.parse(text);
  REQUIRE(tree);
  config::Problems problems;
  auto values = config::check(*tree, schema, problems);
  CHECK(values.has_value() == problems.errors.empty());
  return {std::move(problems), std::move(values)};
}

// The only error, without the file's name.
std::string error(std::string_view text, const config::Schema& schema = server_keys()) {
  const Checked checked = check(text, schema);
  REQUIRE_FALSE(checked.values);
  REQUIRE(checked.problems.errors.size() == 1);
  CHECK(checked.values.error().text == checked.problems.errors[0]);
  constexpr std::string_view file = "dir/main.conf:";
  REQUIRE(checked.problems.errors[0].rfind(file, 0) == 0);
  return checked.problems.errors[0].substr(file.size());
}

}  // namespace

TEST_CASE("schema: what a file does not set has its default, or else is empty") {
  const Checked checked = check("");
  REQUIRE(checked.values);
  const config::Values& values = *checked.values;
  CHECK_FALSE(values.given("port"));
  CHECK(values.integer("port") == 4222);
  CHECK(values.text("host") == "0.0.0.0");
  CHECK(values.listen("listen") == config::Listen{});
  CHECK_FALSE(values.boolean("debug"));
  CHECK(values.integer("max_payload") == 1'048'576);
  CHECK(values.integer("max_mem") == 0);
  CHECK(values.duration("ping_interval") == 2min);
  CHECK(values.duration("timeout") == 0s);
  CHECK(values.real("ratio") == 0.5);
  CHECK(values.text("level").empty());
  CHECK(values.list("server_tags") == std::vector<std::string>{"a", "b"});
  CHECK(values.block("mqtt").integer("port") == 1883);
  CHECK(values.block("mqtt").blocks("users").empty());
  CHECK(values.block("compression").text("mode") == "auto");
  CHECK(values.blocks("accounts").empty());
  CHECK(values.raw("mappings") == nullptr);
  CHECK(config::Values(server_keys()).integer("port") == 4222);
}

TEST_CASE("schema: a file's values come out by their types") {
  const Checked checked = check(R"(
port: -1, net: "::", listen: "localhost:-1", debug: true
max_payload: 8k; max_mem: "2G"; ping_interval: "1m30s"; timeout: 0.25
ratio: 1; level: high; server_tags: [x, y]; compression: on
mqtt { port: 1884, users [ {user: a, password: b}, {username: c, password: d} ] }
accounts { A { users [] }, b {} }
mappings { a: [ b, {c: 1} ] })");
  REQUIRE(checked.values);
  CHECK(checked.problems.warnings.empty());
  const config::Values& values = *checked.values;
  CHECK(values.given("host"));
  CHECK(values.integer("port") == -1);
  CHECK(values.text("host") == "::");
  CHECK(values.listen("listen") == config::Listen{"localhost", config::any_port});
  CHECK(values.boolean("debug"));
  CHECK(values.integer("max_payload") == 8'000);
  CHECK(values.integer("max_mem") == 2'147'483'648);
  CHECK(values.duration("ping_interval") == 90s);
  CHECK(values.duration("timeout") == 250ms);
  CHECK(values.real("ratio") == 1.0);
  CHECK(values.text("level") == "high");
  CHECK(values.list("server_tags") == std::vector<std::string>{"x", "y"});
  CHECK(values.boolean("compression"));
  CHECK_FALSE(values.is_block("compression"));
  CHECK(values.is_block("mqtt"));
  CHECK(values.block("mqtt").integer("port") == 1884);
  REQUIRE(values.block("mqtt").blocks("users").size() == 2);
  CHECK(values.block("mqtt").blocks("users")[1].text("user") == "c");
  CHECK(values.names("accounts") == std::vector<std::string>{"A", "b"});
  CHECK(values.blocks("accounts").size() == 2);
  REQUIRE(values.raw("mappings") != nullptr);
  CHECK(values.raw("mappings")->find("a")->items[1].find("c")->integer == 1);
}

TEST_CASE("schema: a key of another type may take a block where it declares one") {
  const Checked checked = check("compression { mode: fast }");
  REQUIRE(checked.values);
  CHECK(checked.values->is_block("compression"));
  CHECK(checked.values->block("compression").text("mode") == "fast");
  CHECK(error("compression: fast") ==
        "1:14: compression: is a string; write true or false, or a block { }");
}

TEST_CASE("schema: one string is a list of one") {
  CHECK(check("server_tags: x").values->list("server_tags") == std::vector<std::string>{"x"});
  CHECK(check("server_tags: []").values->list("server_tags").empty());
  CHECK(error("server_tags: [x, 1 ]") ==
        "1:18: server_tags: is an integer; write a string or a list of strings, in quotes");
  CHECK(error("server_tags { a: b }") ==
        "1:13: server_tags: is a block { }; write a string or a list of strings");
}

TEST_CASE("schema: names count in any case, and under their aliases") {
  const Checked checked = check("MAX_Payload: 5, Net: x, MQTT { Port: 1 }");
  REQUIRE(checked.values);
  CHECK(checked.values->integer("max_payload") == 5);
  CHECK(checked.values->text("net") == "x");
  CHECK(checked.values->block("mqtt").integer("port") == 1);
}

TEST_CASE("schema: two spellings of one setting are an error, of one spelling the last counts") {
  CHECK(error("host: a\nnet: b") ==
        "2:1: 'net' sets 'host' again, which line 1 of dir/main.conf has set; keep one");
  CHECK(error("mqtt { port: 1\nPort: 2 }") ==
        "2:1: 'Port' sets 'mqtt.port' again, which line 1 of dir/main.conf has set; keep one");
  const Checked checked = check("host: a\nhost: b");
  REQUIRE(checked.values);
  CHECK(checked.values->text("host") == "b");
  REQUIRE(checked.problems.warnings.size() == 1);
  CHECK(checked.problems.warnings[0] ==
        "dir/main.conf:2:1: 'host' is set again; what dir/main.conf:1:1 says no longer counts");
}

TEST_CASE("schema: a value of the wrong type says what to write instead") {
  CHECK(error("max_payload: \"1mb\"") ==
        "1:14: max_payload: is a string; write a size such as 64mb of at least 1, without quotes");
  CHECK(error("port: 4222.5") ==
        "1:7: port: is a number with a fraction; write an integer from -1 to 65535");
  CHECK(error("port: '4222'") ==
        "1:7: port: is a string; write an integer from -1 to 65535, without quotes");
  CHECK(error("debug: \"true\"") == "1:8: debug: is a string; write true or false, without quotes");
  CHECK(error("debug: 1") == "1:8: debug: is an integer; write true or false");
  CHECK(error("host: 10") == "1:7: host: is an integer; write a string, in quotes");
  CHECK(error("host: on") == "1:7: host: is a boolean; write a string, in quotes");
  CHECK(error("host: 2020-01-01T00:00:00Z") == "1:7: host: is a date; write a string, in quotes");
  CHECK(error("ratio: x") == "1:8: ratio: is a string; write a number");
  CHECK(error("listen: [1 ]") == "1:9: listen: is a list [ ]; write \"host:port\" or a port");
  CHECK(error("mqtt: 1883") == "1:7: mqtt: is an integer; write a block { }");
  CHECK(error("mqtt { users: {} }") ==
        "1:15: mqtt.users: is a block { }; write a list of blocks [ { } ]");
  CHECK(error("mqtt { users: [x] }") == "1:16: mqtt.users[0]: is a string; write a block { }");
  CHECK(error("accounts []") ==
        "1:10: accounts: is a list [ ]; write a block of named blocks { name { } }");
  CHECK(error("accounts { A: 1 }") == "1:15: accounts.A: is an integer; write a block { }");
}

TEST_CASE("schema: numbers, sizes and durations keep their ranges, texts their choices") {
  CHECK(error("port: 65536") == "1:7: port: 65536 is too large; write at most 65535");
  CHECK(error("port: -2") == "1:7: port: -2 is too small; write at least -1");
  CHECK(check("port: 65535").values->integer("port") == 65535);
  CHECK(error("max_payload: 0") == "1:14: max_payload: 0 is too small; write at least 1");
  CHECK(error("ping_interval: '-1ms'") ==
        "1:16: ping_interval: -1ms is too small; write at least 0s");
  CHECK(error("level: medium") == "1:8: level: \"medium\" is none of low, high");
  CHECK(error("listen: 70000") == "1:9: listen: 70000 is no port; write 1 to 65535, or -1 for any");
}

TEST_CASE("schema: a duration is a text; a bare number counts in seconds and draws a warning") {
  const Checked checked = check("ping_interval: 5");
  REQUIRE(checked.values);
  CHECK(checked.values->duration("ping_interval") == 5s);
  REQUIRE(checked.problems.warnings.size() == 1);
  CHECK(checked.problems.warnings[0] ==
        "dir/main.conf:1:16: ping_interval: a bare number counts in seconds; write \"5s\"");
  CHECK(check("ping_interval: 5s").values->duration("ping_interval") == 5s);
  CHECK(error("ping_interval: 5x") ==
        "1:16: ping_interval: \"5x\" is no duration; write 2s, 1m30s, 250ms or 24h");
  CHECK(error("ping_interval: 1.5") ==
        "1:16: ping_interval: is a number with a fraction; write a duration such as \"2s\" of at "
        "least 0s");
  CHECK(error("ping_interval: 99999999999") ==
        "1:16: ping_interval: is more seconds than a duration holds; write a smaller number");
}

TEST_CASE("schema: a number whose suffix looks like a unit of time is no duration") {
  CHECK(error("ping_interval: 5m") ==
        "1:16: ping_interval: 5m is a number without quotes; write \"5m\"");
  CHECK(check("ping_interval: '5m'").values->duration("ping_interval") == 5min);
}

TEST_CASE("schema: where seconds are usual a bare number draws no warning") {
  const Checked checked = check("timeout: 2");
  REQUIRE(checked.values);
  CHECK(checked.values->duration("timeout") == 2s);
  CHECK(checked.problems.warnings.empty());
  CHECK(check("timeout: '2s'").values->duration("timeout") == 2s);
}

TEST_CASE("schema: a size in quotes counts only where it is allowed") {
  CHECK(check("max_mem: \"64K\"").values->integer("max_mem") == 65'536);
  CHECK(check("max_mem: 64K").values->integer("max_mem") == 64'000);
  CHECK(check("max_mem: \"\"").values->integer("max_mem") == 0);
  for (const char* text : {"64", "64k", "64KB", "K", "6 4K", "-", "99999999999999999999K"}) {
    CAPTURE(text);
    CHECK_FALSE(check("max_mem: \"" + std::string(text) + "\"").values);
  }
  CHECK_FALSE(check("max_mem: \"9007199254740992T\"").values);
}

TEST_CASE("schema: an unknown key is an error, unless a variable refers to it") {
  CHECK(error("nonsense: 1") == "1:1: unknown setting 'nonsense'; remove it");
  CHECK(error("mqtt { x: 1 }") == "1:8: unknown setting 'mqtt.x'; remove it");
  CHECK(check("P: 5000\nport: $P\nmqtt { q: 1, port: $q }").values->integer("port") == 5000);
  CHECK(error("P: 5000\nmqtt { P: 1, port: $P }") == "1:1: unknown setting 'P'; remove it");
  const Checked checked = check("accounts { u: [ {user: x, password: y} ], A { users: $u } }");
  REQUIRE(checked.values);
  CHECK(checked.values->names("accounts") == std::vector<std::string>{"A"});
}

TEST_CASE("schema: a misspelt key is told what it may mean") {
  CHECK(error("max_paylod: 1") == "1:1: unknown setting 'max_paylod'; did you mean 'max_payload'?");
  CHECK(error("mqtt { prot: 1 }") == "1:8: unknown setting 'mqtt.prot'; did you mean 'port'?");
}

TEST_CASE("schema: what only the reference supports is an error of its own, at every level") {
  const std::string rest =
      " is a nats-server setting that this version does not support yet; remove it";
  CHECK(error("gateway { name: x }") == "1:1: 'gateway'" + rest);
  CHECK(error("WS { port: 80 }") == "1:1: 'ws'" + rest);
  CHECK(error("mqtt { ack_wait: 1 }") == "1:8: 'mqtt.ack_wait'" + rest);
  CHECK(error("accounts { A { nkey: x } }") == "1:16: 'accounts.A.nkey'" + rest);
  CHECK(error("accounts { A { users [ { password: x, proxy_required: on } ] } }") ==
        "1:39: 'accounts.A.users[0].proxy_required'" + rest);
  CHECK(error("cluster: 1\nport: $cluster") == "1:1: 'cluster'" + rest);
  // A schema that names no reference knows of none.
  const config::Schema other = config::Schema::of({{.name = "x"}});
  CHECK(error("gateway: 1", other) == "1:1: unknown setting 'gateway'; remove it");
}

TEST_CASE("schema: every key of the reference is refused as such where nothing is declared") {
  const config::Schema bare = config::Schema::of({{.name = "x"}}, &config::reference_keys());
  std::size_t count = 0;
  for (const config::ReferenceKey& key : config::reference_keys().keys) {
    std::string_view names = key.names;
    while (!names.empty()) {
      const std::size_t end = std::min(names.find(' '), names.size());
      const std::string name(names.substr(0, end));
      names.remove_prefix(std::min(end + 1, names.size()));
      CAPTURE(name);
      CHECK(error(name + " = 1", bare).find("does not support yet") != std::string::npos);
      ++count;
    }
  }
  CHECK(count > 90);
}

TEST_CASE("schema: a required key that is missing is an error at its block") {
  CHECK(error("mqtt {\n users [ {user: a} ] }") ==
        "2:10: 'mqtt.users[0].password' is missing; set it");
}

TEST_CASE("schema: all errors are reported, in the order of the file") {
  const Checked checked = check("debug: 1\nping_interval: 3\nnonsense: 2\nmqtt { port: x\n y: 1 }");
  REQUIRE_FALSE(checked.values);
  REQUIRE(checked.problems.errors.size() == 4);
  CHECK(checked.problems.errors[0].rfind("dir/main.conf:1:8: debug", 0) == 0);
  CHECK(checked.problems.errors[1].rfind("dir/main.conf:3:1: unknown", 0) == 0);
  CHECK(checked.problems.errors[2].rfind("dir/main.conf:4:14: mqtt.port", 0) == 0);
  CHECK(checked.problems.errors[3].rfind("dir/main.conf:5:2: unknown", 0) == 0);
  CHECK(checked.problems.warnings.size() == 1);
  CHECK(checked.values.error().text == checked.problems.errors[0] + " (and 3 more)");
}

TEST_CASE("schema: errors have a limit too") {
  std::string text;
  for (int i = 0; i < 3'000; ++i) text += "x" + std::to_string(i) + " = 1\n";
  CHECK(check(text).problems.errors.size() == 1'000);
}

TEST_CASE("schema: settings and raw values know their place in the file that set them") {
  const World world{.files = {{"dir/a.conf", "\n port: 1"}}};
  const Checked checked =
      check("include a.conf\nmqtt { port: 1 }\nmappings { a: 1 }", server_keys(), world);
  REQUIRE(checked.values);
  const config::Values& values = *checked.values;
  CHECK(values.where("port") == "dir/a.conf:2:2");
  CHECK(values.where("host") == "dir/main.conf:1:1");
  CHECK(values.block("mqtt").where("port") == "dir/main.conf:2:8");
  CHECK(values.block("mqtt").where("users") == "dir/main.conf:2:6");
  CHECK(values.where(*values.raw("mappings")->find("a")) == "dir/main.conf:3:15");
  CHECK(config::Values(server_keys()).where("port") == "the defaults");
}

TEST_CASE("schema: a row describes each setting") {
  const std::string page = config::describe(server_keys());
  CAPTURE(page);
  const auto has = [&](std::string_view row) { return page.find(row) != std::string::npos; };
  CHECK(has("| `port` | an integer from -1 to 65535 | `4222` | no | the port |\n"));
  CHECK(has("| `host`, `net` | a string | `0.0.0.0` | no |  |\n"));
  CHECK(has("| `ping_interval` | a duration such as \"2s\" of at least 0s | `2m` | yes |  |\n"));
  CHECK(
      has("| `mqtt` | a block { } |  | no |  |\n| `mqtt.port` | an integer | `1883` | no |  |\n"));
  CHECK(has("| `mqtt.users[].password` | a string, required |  | no | secret |\n"));
  CHECK(has("| `accounts.NAME.users[].user`, `username` | a string |  | no | name |\n"));
  CHECK(has("| `level` | one of low, high |  | no |  |\n"));
  CHECK(has("| `compression` | true or false, or a block { } |  | no |  |\n"));
}

TEST_CASE("schema: an error keeps to one line, whatever the file has") {
  CHECK(error("level: \"x\\ny\"") == "1:8: level: \"x?y\" is none of low, high");
  CHECK(error(std::string(5'000, 'k') + ": 1").size() < 200);
  CHECK(error("accounts { \"" + std::string(5'000, 'n') + "\": 1 }").size() < 200);
}
