#include "base/crc32c.h"

#include <algorithm>
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

// What follows `begin` in the text. Records of a few hundred bytes are summed one behind the other
// by the million: where the end of each cannot be predicted the processor could not begin with the
// next. So there is no branch for each of the last bytes: as many zeros before them as make up a
// word change nothing, and what the sum has beyond a short rest is shifted down as it would be by
// the bytes that are missing.
__attribute__((target("sse4.2"))) std::uint32_t sum_rest(std::uint32_t sum, std::string_view text,
                                                         std::size_t begin) {
  const char* at = text.data() + begin;
  const char* const end = text.data() + text.size();
  std::uint64_t wide = sum;
  for (; end - at >= 8; at += 8) wide = _mm_crc32_u64(wide, load(at));
  if (text.size() < 8) {
    sum = static_cast<std::uint32_t>(wide);
    for (; at != end; ++at) sum = _mm_crc32_u8(sum, static_cast<unsigned char>(*at));
    return sum;
  }
  const auto rest = static_cast<unsigned>(8 * (end - at));  // bits, below 64
  const std::uint64_t last = ((load(end - 8) >> 1) >> (63 - rest)) ^ wide;
  return static_cast<std::uint32_t>(_mm_crc32_u64(0, (last << 1) << (63 - rest)) ^ (wide >> rest));
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
  return sum_rest(sum, bytes, 0);
}

// Texts of this size are summed in lanes of their own.
constexpr std::size_t long_text = 3 * lane_bytes;

__attribute__((target("sse4.2"))) void sum_three_by_instruction(
    const std::array<std::string_view, 3>& texts, std::array<std::uint32_t, 3>& sums) {
  const std::size_t common = std::min({texts[0].size(), texts[1].size(), texts[2].size()}) / 8 * 8;
  std::uint64_t first = ~sums[0];
  std::uint64_t second = ~sums[1];
  std::uint64_t third = ~sums[2];
  for (std::size_t at = 0; at < common; at += 8) {
    first = _mm_crc32_u64(first, load(texts[0].data() + at));
    second = _mm_crc32_u64(second, load(texts[1].data() + at));
    third = _mm_crc32_u64(third, load(texts[2].data() + at));
  }
  const std::array<std::uint64_t, 3> begun = {first, second, third};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    sums[i] = ~sum_rest(static_cast<std::uint32_t>(begun[i]), texts[i], common);
  }
}

#endif

bool has_instruction() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before) {
  return ~sum_by_tables(~before, bytes);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(__x86_64__)
  if (has_instruction()) return ~sum_by_instruction(~before, bytes);
#endif
  return crc32c_portable(bytes, before);
}

void crc32c_of_three(const std::array<std::string_view, 3>& texts,
                     std::array<std::uint32_t, 3>& sums) {
#if defined(__x86_64__)
  const bool are_short = std::all_of(texts.begin(), texts.end(),
                                     [](std::string_view text) { return text.size() < long_text; });
  if (are_short && has_instruction()) return sum_three_by_instruction(texts, sums);
#endif
  for (std::size_t i = 0; i < texts.size(); ++i) sums[i] = crc32c(texts[i], sums[i]);
}

}  // namespace spanwire::base
