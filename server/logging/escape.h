// What may stand in a line of the log. Peers choose names, subjects and payloads that end up there;
// none of them may start a new line, or speak to the terminal that shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spanwire::logging {

// Appends `text` to `out`, at most `max_bytes` of it once escaped; of a longer one the rest is
// replaced by how much it was. Control characters, the Unicode ones included, and bytes that are
// not UTF-8 become \n, \r, \t or \xNN.
void append_escaped(std::string& out, std::string_view text, std::size_t max_bytes);

}  // namespace spanwire::logging
