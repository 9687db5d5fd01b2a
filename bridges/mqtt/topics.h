// Rules of topics that are the wire's own, beside the standard's.
#pragma once

#include <cstddef>
#include <string_view>

namespace spanwire::mqtt {

// Levels of a topic or filter: one more than it has slashes.
std::size_t level_count(std::string_view topic);

// `$share/…`, as shared subscriptions are asked for.
bool is_shared_filter(std::string_view filter);

}  // namespace spanwire::mqtt
