#include "crypto/nuid.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "crypto/random.h"

namespace spanwire::crypto {

namespace {

constexpr std::string_view digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
// Steps as nats.go takes them: large enough that neighbours differ at a glance, small enough for
// 10^15 ids a prefix.
constexpr std::uint64_t least_step = 33;
constexpr std::uint64_t steps = 300;

// Each digit is as likely as the next: bytes from the largest multiple of 62 on are thrown away.
void fill_random_digits(std::span<char> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    std::array<char, 32> bytes{};
    fill_random(bytes);
    for (const char byte : bytes) {
      const auto value = static_cast<unsigned char>(byte);
      if (value >= 256 / digits.size() * digits.size() || filled == out.size()) continue;
      out[filled++] = digits[value % digits.size()];
    }
  }
}

}  // namespace

void NuidSource::begin() {
  fill_random_digits(prefix_);
  counter_ = random_seed() % counter_end;
  step_ = least_step + random_seed() % steps;
}

std::string NuidSource::next() {
  counter_ += step_;
  if (counter_ >= counter_end) begin();
  std::string id(prefix_digits + counter_digits, '0');
  std::copy(prefix_.begin(), prefix_.end(), id.begin());
  std::uint64_t rest = counter_;
  for (std::size_t i = id.size(); i > prefix_digits; rest /= digits.size()) {
    id[--i] = digits[rest % digits.size()];
  }
  return id;
}

}  // namespace spanwire::crypto
