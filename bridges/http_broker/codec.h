// The requests of shiftr.io's HTTP interface: topics in paths, options in queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "http/uri.h"

namespace spanwire::http_broker {

// Why a request is refused: one line for its sender.
template <class T>
using Read = tl::expected<T, std::string_view>;

// Writes the topic that stands behind `/broker/` in a decoded path. Because `#` ends a path and `*`
// is what others call it, `@` stands for `#` and `*` for `+`; neither may be in a topic itself.
// Refused: an empty topic, too many characters, one that is not a letter, a digit or of
// `.,:;-_$/+#`.
Read<std::string_view> read_topic(std::string_view path, std::size_t max_characters,
                                  std::string& topic);

struct Options {
  bool retained = false;
  std::uint8_t qos = 0;
};

// `retained=true|false` and `qos=0|1|2`; other keys are not ours and do no harm.
Read<Options> read_options(const http::Query& query);

}  // namespace spanwire::http_broker
