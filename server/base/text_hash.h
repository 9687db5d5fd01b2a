// For maps whose keys are texts and that are asked with views: no text is made to look one up.
#pragma once

#include <absl/hash/hash.h>

#include <string_view>

namespace spanwire::base {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return absl::Hash<std::string_view>{}(text);
  }
};

struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

}  // namespace spanwire::base
