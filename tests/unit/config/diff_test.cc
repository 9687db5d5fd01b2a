#include "config/diff.h"

#include <doctest/doctest.h>

#include "sources.h"

using namespace spanwire;
using config::Change;
using config::Key;
using config::Type;

namespace {

const config::Schema& keys() {
  static const config::Schema users =
      config::Schema::of({{.name = "user"}, {.name = "password", .reloadable = true}});
  static const config::Schema schema = config::Schema::of({
      {.name = "port", .type = Type::integer, .default_text = "4222"},
      {.name = "debug", .type = Type::boolean, .reloadable = true},
      {.name = "tags", .type = Type::text_list, .reloadable = true},
      {.name = "mqtt",
       .type = Type::block,
       .block = config::Schema::of({{.name = "port", .type = Type::integer},
                                    {.name = "wait", .type = Type::duration, .reloadable = true}})},
      {.name = "users", .type = Type::block_list, .block = users, .reloadable = true},
      {.name = "accounts", .type = Type::named_blocks, .block = users, .reloadable = true},
      {.name = "maps", .type = Type::raw, .reloadable = true},
  });
  return schema;
}

config::Values values(std::string_view text) {
  config::Problems problems;
  auto checked = config::check(config_test::World{}.parse(text).value(), keys(), problems);
  REQUIRE(checked);
  return *std::move(checked);
}

std::vector<Change> changes(std::string_view before, std::string_view after) {
  return config::diff(values(before), values(after));
}

}  // namespace

TEST_CASE("diff: what is the same to a reader is no change") {
  CHECK(changes("", "").empty());
  CHECK(changes("port: 4222", "").empty());
  CHECK(changes("port: 1000, debug: yes", "debug = true\n\n port = 1k").empty());
  CHECK(changes("tags: a", "tags: [a]").empty());
  CHECK(changes("mqtt { wait: '60s' }", "mqtt { wait: '1m' }").empty());
  CHECK(changes("maps { a: [1k ], b: x }", "maps { b: 'x', a: [1000] }").empty());
}

TEST_CASE("diff: a setting that differs is named, with whether it can be reloaded") {
  CHECK(changes("port: 1", "port: 2, debug: on") ==
        std::vector<Change>{{"port", false}, {"debug", true}});
  CHECK(changes("tags: [a, b]", "tags: [b, a]") == std::vector<Change>{{"tags", true}});
  CHECK(changes("maps { a: [1 ] }", "maps { a: [2 ] }") == std::vector<Change>{{"maps", true}});
  CHECK(changes("maps { a: 1 }", "maps { b: 1 }") == std::vector<Change>{{"maps", true}});
  CHECK(changes("maps { a: 1 }", "") == std::vector<Change>{{"maps", true}});
}

TEST_CASE("diff: blocks are compared inside; one that comes or goes is a change of its own") {
  CHECK(changes("mqtt { port: 1, wait: '1s' }", "mqtt { port: 2, wait: '2s' }") ==
        std::vector<Change>{{"mqtt.port", false}, {"mqtt.wait", true}});
  CHECK(changes("", "mqtt {}") == std::vector<Change>{{"mqtt", false}});
  CHECK(changes("mqtt { port: 1 }", "") ==
        std::vector<Change>{{"mqtt", false}, {"mqtt.port", false}});
}

TEST_CASE("diff: lists of blocks are compared by place") {
  CHECK(
      changes("users [ {user: a, password: x} ]", "users [ {user: a, password: y}, {user: b} ]") ==
      std::vector<Change>{{"users[0].password", true}, {"users[1]", true}});
  CHECK(changes("users [ {user: a}, {user: b} ]", "users [ {user: b} ]") ==
        std::vector<Change>{{"users[0].user", false}, {"users[1]", true}});
}

TEST_CASE("diff: named blocks are compared by name") {
  CHECK(
      changes("accounts { A { user: a }, B { user: b }, C {} }",
              "accounts { D {}, B { user: c }, A { user: a } }") ==
      std::vector<Change>{{"accounts.D", true}, {"accounts.B.user", false}, {"accounts.C", true}});
}
