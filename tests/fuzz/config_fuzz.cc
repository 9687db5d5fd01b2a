// The configuration language: parts between lines of "%%" are the main file, the files a and b that
// it may include, and the value of the environment variable E. Whatever they hold, the parser and
// the check end, and what they accept keeps its promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/diff.h"
#include "config/parser.h"
#include "config/schema.h"

using namespace spanwire;
using config::Type;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string take_part(std::string_view& text) {
  constexpr std::string_view border = "%%\n";
  const std::size_t end = std::min(text.find(border), text.size());
  std::string part(text.substr(0, end));
  text.remove_prefix(std::min(end + border.size(), text.size()));
  return part;
}

// A key of each type, so that every conversion is reached.
config::Schema keys() {
  const config::Schema user = config::Schema::of({
      {.name = "user", .aliases = {"username"}},
      {.name = "password", .required = true},
  });
  return config::Schema::of(
      {
          {.name = "port", .type = Type::integer, .default_text = "4222", .min = -1, .max = 65535},
          {.name = "host", .aliases = {"net"}},
          {.name = "listen", .type = Type::listen},
          {.name = "debug", .type = Type::boolean},
          {.name = "max_payload", .type = Type::size, .default_text = "1mb", .quoted_size = true},
          {.name = "ping_interval", .type = Type::duration, .min = 0},
          {.name = "timeout", .type = Type::duration, .plain_seconds = true},
          {.name = "ratio", .type = Type::real},
          {.name = "level", .choices = {"low", "high"}},
          {.name = "server_tags", .type = Type::text_list},
          {.name = "mqtt", .type = Type::block, .block = user},
          {.name = "users", .type = Type::block_list, .block = user},
          {.name = "accounts", .type = Type::named_blocks, .block = user},
          {.name = "mappings", .type = Type::raw},
      },
      &config::reference_keys());
}

// One line of a length that a log can take.
void check_error(const std::string& text) {
  require(!text.empty() && text.size() < 2'000 && text.find('\n') == std::string::npos);
}

void check_values(const config::Tree& tree) {
  static const config::Schema schema = keys();
  config::Problems problems;
  const base::Result<config::Values> values = config::check(tree, schema, problems);
  require(values.has_value() == problems.errors.empty());
  for (const std::string& text : problems.errors) check_error(text);
  for (const std::string& text : problems.warnings) check_error(text);
  if (!values) return;
  require(config::diff(*values, *values).empty());
  require(values->integer("port") >= -1 && values->integer("port") <= 65535);
  require(values->duration("ping_interval").count() >= 0);
  const config::Listen& listen = values->listen("listen");
  if (values->given("listen")) require(config::parse_listen(config::to_text(listen)) == listen);
  for (const config::Values& user : values->blocks("users")) require(user.given("password"));
  require(values->names("accounts").size() == values->blocks("accounts").size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string main = take_part(text);
  const std::string a = take_part(text);
  const std::string b = take_part(text);
  const std::string e = take_part(text);
  const config::Sources sources{
      .read = [&](const std::string& path) -> base::Result<std::string> {
        if (path == "a") return a;
        if (path == "b") return b;
        return base::fail("cannot read that file");
      },
      .environment = [&](const std::string& name) -> std::optional<std::string> {
        if (name == "E") return e.substr(0, e.find('\0'));
        return std::nullopt;
      },
      .limits = {.text_bytes = 1U << 20U, .values = 10'000, .files = 50, .include_depth = 8},
  };
  const base::Result<config::Tree> tree = config::parse(main, "main", sources);
  if (!tree) {
    check_error(tree.error().text);
    return 0;
  }
  const std::string digest = config::digest_text(*tree);
  require(!digest.empty() && digest.back() == '\n');
  require(tree->root == tree->root);
  check_values(*tree);
  return 0;
}
