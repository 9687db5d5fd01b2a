// Randomness that nobody can guess, from the operating system by way of OpenSSL. From any thread.
#pragma once

#include <cstdint>
#include <span>

namespace spanwire::crypto {

// Without a source of randomness no id is safe: then this does not return.
void fill_random(std::span<char> bytes);

// A seed for a base::Random, another one each time.
std::uint64_t random_seed();

}  // namespace spanwire::crypto
