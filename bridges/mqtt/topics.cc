#include "bridges/mqtt/topics.h"

#include <algorithm>

namespace spanwire::mqtt {
namespace {

std::string_view first_level(std::string_view topic) {
  return topic.substr(0, topic.find('/'));
}

}  // namespace

std::size_t level_count(std::string_view topic) {
  return 1 + static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/'));
}

bool is_shared_filter(std::string_view filter) {
  return filter.starts_with('$') && first_level(filter) == "$share";
}

}  // namespace spanwire::mqtt
