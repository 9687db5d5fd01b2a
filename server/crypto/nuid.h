// NUIDs: the ids that NATS clients and servers give to inboxes, consumers and messages. 22 digits
// of base 62: 12 random ones that stay for a while, then 10 that count on by a random step. An id
// is unique; who knows one can guess its neighbours, so it is no secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace spanwire::crypto {

// Belongs to one thread; each thread that needs ids has its own.
class NuidSource {
 public:
  static constexpr std::size_t prefix_digits = 12;
  static constexpr std::size_t counter_digits = 10;
  static constexpr std::uint64_t counter_end = 839'299'365'868'340'224;  // 62^10

  NuidSource() { begin(); }
  // Counts on from `counter` as a test wants it.
  NuidSource(std::uint64_t counter, std::uint64_t step) : NuidSource() {
    counter_ = counter;
    step_ = step;
  }

  std::string next();

 private:
  void begin();  // a new prefix, a new place to count from

  std::array<char, prefix_digits> prefix_{};
  std::uint64_t counter_ = 0;
  std::uint64_t step_ = 1;
};

}  // namespace spanwire::crypto
