// What this program is, and which nats-server it stands in for: clients switch features on by the
// latter.
#pragma once

#include <string_view>

namespace spanwire::app {

extern const std::string_view spanwire_version;
inline constexpr std::string_view nats_version = "2.14.5";

}  // namespace spanwire::app
