#include "bridges/mqtt/topics.h"

#include <algorithm>
#include <array>

namespace spanwire::mqtt {
namespace {

constexpr std::array<std::string_view, 6> system_levels = {"$SYS", "$JS", "$MQTT",
                                                           "$KV",  "$O",  "$SPW"};

std::string_view first_level(std::string_view topic) {
  return topic.substr(0, topic.find('/'));
}

}  // namespace

std::size_t level_count(std::string_view topic) {
  return 1 + static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/'));
}

bool is_system_topic(std::string_view topic) {
  if (!topic.starts_with('$')) return false;
  const std::string_view level = first_level(topic);
  return std::find(system_levels.begin(), system_levels.end(), level) != system_levels.end();
}

bool is_shared_filter(std::string_view filter) {
  return filter.starts_with('$') && first_level(filter) == "$share";
}

}  // namespace spanwire::mqtt
