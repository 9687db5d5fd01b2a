// CRC-32C (Castagnoli; RFC 3720, B.4): what everything that the store writes is checked with.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace spanwire::base {

// Continues `before`, which is the sum of all that stands before `bytes`: crc32c(a + b) is
// crc32c(b, crc32c(a)). A sum that is to fit one place only starts from that of a text that names
// the place.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

// The same for three texts and the sums before each of them. The processor takes them side by side
// where they are too short for it to do so with the parts of one.
void crc32c_of_three(const std::array<std::string_view, 3>& texts,
                     std::array<std::uint32_t, 3>& sums);

// The same by tables alone: what processors without the instruction run. For tests.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before = 0);

}  // namespace spanwire::base
