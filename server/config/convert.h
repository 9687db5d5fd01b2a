// From a parsed value, or a default's text, to the type that a key declares.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/schema.h"

namespace spanwire::config {

struct Conversion {
  Position at;          // of what is wrong: the value, or an item of it
  std::string warning;  // set where the value is taken but should be written otherwise
};

// For every type but the blocks. An error says what is wrong with the value, without its place.
base::Result<Values::Scalar> convert(const Key& key, const Value& value, Conversion& notes);

// The default's value; monostate if the key has none.
base::Result<Values::Scalar> default_value(const Key& key);

// "a size such as 64mb": what a person should write.
std::string expectation(const Key& key);

bool is_block_type(Type type);

}  // namespace spanwire::config
