// The key that a subject's retained message has in the key-value bucket of its account
// (docs/protocols/retained.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spanwire::kit {

inline constexpr std::string_view retained_bucket = "spanwire_retained";

// The subject with every byte that keys may not have, and `=`, as `=` and two capital hexadecimal
// digits. The other way round: none if the key is not what retained_key() makes of some subject.
std::string retained_key(std::string_view subject);
std::optional<std::string> subject_of_retained_key(std::string_view key);

}  // namespace spanwire::kit
