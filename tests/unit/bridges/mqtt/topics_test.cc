#include "bridges/mqtt/topics.h"

#include <doctest/doctest.h>

using namespace spanwire;

TEST_CASE("topics: a topic has one level more than slashes [MQTT-4.7.3]") {
  CHECK(mqtt::level_count("a") == 1);
  CHECK(mqtt::level_count("a/b") == 2);
  CHECK(mqtt::level_count("/") == 2);
  CHECK(mqtt::level_count("//a") == 3);
}

TEST_CASE("topics: a shared subscription is told by its first level") {
  CHECK(mqtt::is_shared_filter("$share/group/a"));
  CHECK_FALSE(mqtt::is_shared_filter("$shared/group/a"));
  CHECK_FALSE(mqtt::is_shared_filter("share/group/a"));
  CHECK_FALSE(mqtt::is_shared_filter("a/$share/b"));
}
