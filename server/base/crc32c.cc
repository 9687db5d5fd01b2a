#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace spanwire::base {

namespace {

constexpr std::uint32_t polynomial = 0x82f63b78U;  // reflected: the low bit is the highest power

using Table = std::array<std::uint32_t, 256>;

// tables[k][byte]: what a byte adds when k more bytes follow it.
constexpr std::array<Table, 8> make_tables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1U) != 0 ? polynomial : 0);
    tables[0][byte] = sum;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t sum = tables[k - 1][byte];
      tables[k][byte] = (sum >> 8) ^ tables[0][sum & 0xff];
    }
  }
  return tables;
}
constexpr std::array<Table, 8> tables = make_tables();

// The first and last steps invert, so that leading zeros count; `sum` in these is what is between.
constexpr std::uint32_t step(std::uint32_t sum, char byte) {
  return (sum >> 8) ^ tables[0][(sum ^ static_cast<unsigned char>(byte)) & 0xff];
}

std::uint64_t load(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

std::uint32_t sum_by_tables(std::uint32_t sum, std::string_view bytes) {
  if constexpr (std::endian::native == std::endian::little) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      const std::uint64_t word = load(bytes.data()) ^ sum;
      sum = 0;
      for (std::size_t i = 0; i < 8; ++i) sum ^= tables[7 - i][(word >> (8 * i)) & 0xff];
    }
  }
  for (const char byte : bytes) sum = step(sum, byte);
  return sum;
}

#if defined(__x86_64__)

// The instruction takes 3 cycles and a new one may start each cycle, so three lanes run side by
// side. A lane's sum is carried over the lanes behind it by tables.
constexpr std::size_t lane_bytes = 256;

constexpr std::array<Table, 4> make_shift() {
  std::array<std::uint32_t, 32> moved{};  // where each bit is after lane_bytes zeros
  for (std::size_t bit = 0; bit < moved.size(); ++bit) {
    std::uint32_t sum = 1U << bit;
    for (std::size_t i = 0; i < lane_bytes; ++i) sum = step(sum, 0);
    moved[bit] = sum;
  }
  std::array<Table, 4> shift{};
  for (std::size_t k = 0; k < shift.size(); ++k) {
    for (std::size_t byte = 1; byte < 256; ++byte) {
      const auto low = static_cast<std::size_t>(std::countr_zero(byte));
      shift[k][byte] = shift[k][byte & (byte - 1)] ^ moved[8 * k + low];
    }
  }
  return shift;
}
constexpr std::array<Table, 4> shift_tables = make_shift();

std::uint32_t shift(std::uint32_t sum) {
  return shift_tables[0][sum & 0xff] ^ shift_tables[1][(sum >> 8) & 0xff] ^
         shift_tables[2][(sum >> 16) & 0xff] ^ shift_tables[3][sum >> 24];
}

__attribute__((target("sse4.2"))) std::uint32_t sum_by_instruction(std::uint32_t sum,
                                                                   std::string_view bytes) {
  for (; bytes.size() >= 3 * lane_bytes; bytes.remove_prefix(3 * lane_bytes)) {
    std::uint64_t first = sum;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const char* at = bytes.data(); at != bytes.data() + lane_bytes; at += 8) {
      first = _mm_crc32_u64(first, load(at));
      second = _mm_crc32_u64(second, load(at + lane_bytes));
      third = _mm_crc32_u64(third, load(at + 2 * lane_bytes));
    }
    sum = shift(static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
    sum = shift(sum) ^ static_cast<std::uint32_t>(third);
  }
  std::uint64_t wide = sum;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) wide = _mm_crc32_u64(wide, load(bytes.data()));
  sum = static_cast<std::uint32_t>(wide);
  for (const char byte : bytes) sum = _mm_crc32_u8(sum, static_cast<unsigned char>(byte));
  return sum;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before) {
  return ~sum_by_tables(~before, bytes);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~sum_by_instruction(~before, bytes);
#endif
  return crc32c_portable(bytes, before);
}

}  // namespace spanwire::base
