// One connection whose input is read and understood: whole units are taken from the front of what
// has arrived, and the part of one that has not arrived whole waits for the rest.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

class Seat {
 public:
  Seat() = default;
  explicit Seat(Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  // What waited and what has arrived since, without waiting for more; `buffer` is for one read, and
  // may serve all seats. The view is valid until the next call of this seat or with this buffer.
  base::Result<std::string_view> read(std::string& buffer);
  // The same with what has arrived in hand.
  std::string_view join(std::string_view arrived);
  // What was not taken from the front of what read() or join() gave.
  void keep(std::string_view rest) { waiting_ = std::string(rest); }

 private:
  Fd fd_;
  std::string waiting_;
};

}  // namespace spanwire::loadgen
