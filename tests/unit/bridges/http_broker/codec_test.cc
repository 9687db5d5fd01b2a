#include "bridges/http_broker/codec.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using http_broker::read_options;

namespace {

// The topic, or `-` where it is refused.
std::string topic_of(std::string_view path) {
  std::string topic;
  const auto read = http_broker::read_topic(path, 128, topic);
  return read ? std::string(*read) : "-";
}

// `retained qos`, or `-`.
std::string options_of(std::string_view text) {
  http::Query query;
  REQUIRE(query.parse(text));
  const auto read = read_options(query);
  if (!read) return "-";
  return (read->retained ? "true " : "false ") + std::to_string(read->qos);
}

}  // namespace

TEST_CASE("topics: an asterisk is a plus and an at sign a hash") {
  CHECK(topic_of("a/b") == "a/b");
  CHECK(topic_of("*/a*/@") == "+/a+/#");
  CHECK(topic_of("+/#") == "+/#");
}

TEST_CASE("topics: of all bytes letters, digits and twelve others are allowed") {
  const std::string allowed =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:;-_$/+#*@";
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const std::string text = {'a', static_cast<char>(byte)};
    const bool good = allowed.find(static_cast<char>(byte)) != std::string::npos;
    CHECK((topic_of(text) != "-") == good);
  }
}

TEST_CASE("topics: one to 128 characters, counted when @ and * are translated") {
  CHECK(topic_of("") == "-");
  CHECK(topic_of("a") == "a");
  CHECK(topic_of(std::string(127, 'a') + "@") == std::string(127, 'a') + "#");
  CHECK(topic_of(std::string(129, 'a')) == "-");
}

TEST_CASE("options: retained is true or false, qos a digit up to 2") {
  CHECK(options_of("") == "false 0");
  CHECK(options_of("retained=true&qos=2") == "true 2");
  CHECK(options_of("qos=1&retained=false") == "false 1");
  CHECK(options_of("qos=0&other=x") == "false 0");
  for (const char* bad : {"retained", "retained=", "retained=1", "retained=True", "qos",
                          "qos=", "qos=3", "qos=-1", "qos=01", "qos=1x"}) {
    CAPTURE(bad);
    CHECK(options_of(bad) == "-");
  }
}
