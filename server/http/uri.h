// The parts of a target (RFC 3986): escapes, the query, the authority.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spanwire::http {

// Undoes the percent-encoding of `raw`: `%23` is `#`, and `+` stays a plus, as everywhere but in a
// query. Returns `raw` itself where nothing is encoded, else a view into `storage`; nothing where a
// `%` is not followed by two hexadecimal digits. Any byte may come out, `/` and NUL included.
std::optional<std::string_view> percent_decode(std::string_view raw, std::string& storage);

// Whether `text` is a host, not empty, with or without a port (RFC 3986, 3.2.2 and 3.2.3). User
// information is refused (RFC 9110, 4.2.4).
bool is_authority(std::string_view text);

// The pairs of a query: `retained=true&qos=1`. Made to be kept and parsed into again: it keeps its
// memory. Views live until the next parse().
class Query {
 public:
  static constexpr std::size_t max_pairs = 32;

  struct Pair {
    std::string_view key;
    std::string_view value;  // empty where there is no `=`
  };

  // Splits `raw` at each `&`; keys and values are decoded, a `+` to a space, as forms write it.
  // Empty pairs are skipped. After a failure there are no pairs.
  base::Status parse(std::string_view raw);

  // The first value of that key; case counts.
  std::optional<std::string_view> find(std::string_view key) const;

  std::size_t size() const { return size_; }
  const Pair* begin() const { return pairs_.data(); }
  const Pair* end() const { return pairs_.data() + size_; }

 private:
  base::Status add(std::string_view pair);
  std::optional<std::string_view> decode(std::string_view raw);

  std::string text_;  // decoded bytes; never grows while pairs_ points into it
  std::array<Pair, max_pairs> pairs_;
  std::size_t size_ = 0;
};

}  // namespace spanwire::http
