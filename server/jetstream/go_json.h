// The values in a request's body, found and refused as Go's stream decoder does: one after another,
// and with its words for what is no JSON. Reading a value is json::Document's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spanwire::jetstream {

class GoJsonValues {
 public:
  enum class Next : std::uint8_t { value, end, error };

  explicit GoJsonValues(std::string_view text) : text_(text) {}

  // Takes a value off the front. After an error nothing follows.
  Next next(std::string_view& value, std::string& error);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// What is wrong with a text that is to be one value, in the words that Go has for that; nothing: it
// is one.
std::optional<std::string> check_json(std::string_view text);

}  // namespace spanwire::jetstream
