// Variable byte integers (MQTT 3.1.1, 2.2.3): seven bits a byte, low bits first, four bytes at
// most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spanwire::mqtt {

inline constexpr std::uint32_t varint_max = 268'435'455;

enum class Decode : std::uint8_t { ok, need_more, malformed };

struct Varint {
  std::uint32_t value = 0;
  std::size_t size_bytes = 0;
};

// Reads one from the front of `in`. Unless it returns ok, `out` is untouched. A spelling that is
// longer than needed is accepted: 3.1.1 does not forbid it.
Decode read_varint(std::string_view in, Varint& out);

// The shortest spelling of a value <= varint_max: its size, and where it is written.
std::size_t varint_size_bytes(std::uint32_t value);
char* write_varint(char* to, std::uint32_t value);  // returns its end
void append_varint(std::string& out, std::uint32_t value);

}  // namespace spanwire::mqtt
