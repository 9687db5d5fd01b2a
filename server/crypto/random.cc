#include "crypto/random.h"

#include <openssl/rand.h>

#include <array>
#include <cstring>

#include "base/assert.h"

namespace spanwire::crypto {

void fill_random(std::span<char> bytes) {
  BASE_ASSERT(bytes.size() <= 1U << 20);
  const int filled =
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BASE_ASSERT(filled == 1);
}

std::uint64_t random_seed() {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  fill_random(bytes);
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), bytes.size());
  return seed;
}

}  // namespace spanwire::crypto
