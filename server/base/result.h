// Result<T>: a value, or an Error that says what a person should do next. For peers, disks and
// configuration; hot paths return an enum instead, and our own mistakes are a BASE_ASSERT.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace spanwire::base {

struct Error {
  std::string text;  // one line, without a full stop; may reach a log or a peer
};

template <class T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> fail(std::string text) {
  return tl::unexpected<Error>(Error{std::move(text)});
}

}  // namespace spanwire::base
