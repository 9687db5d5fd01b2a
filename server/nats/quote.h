// Peers' bytes within an error text.
#pragma once

#include <string>
#include <string_view>

namespace spanwire::nats {

// In double quotes, spelled as Go's %q does it, for clients compare these texts: a quote and a
// backslash are escaped, and whatever is no printable character.
std::string quote(std::string_view text);

}  // namespace spanwire::nats
