// UTF-8 as JSON needs it: what is not valid is replaced by U+FFFD, one for each wrong byte, as Go's
// encoder and decoder do.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spanwire::json {

// The size in bytes of the well-formed sequence that `text` starts with (1 to 4), or 0 where its
// first byte starts none. Overlong forms, surrogates and what lies past U+10FFFF are not well
// formed.
std::size_t sequence_size(std::string_view text);

bool is_utf8(std::string_view text);

std::string replace_invalid_utf8(std::string_view text);

}  // namespace spanwire::json
