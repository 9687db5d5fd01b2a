// The Date field of every answer (RFC 9110, 6.6.1 and 5.6.7).
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "base/clock.h"

namespace spanwire::http {

// Writes the field once a second, however often it is asked for. One a loop.
class DateField {
 public:
  // `Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n`, until the next call.
  std::string_view at(base::WallTime now);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::array<char, 37> text_{};
};

}  // namespace spanwire::http
