#include "bridges/mqtt/varint.h"

#include "base/assert.h"

namespace spanwire::mqtt {

Decode read_varint(std::string_view in, Varint& out) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i == in.size()) return Decode::need_more;
    const auto byte = static_cast<std::uint8_t>(in[i]);
    value |= (byte & 0x7fU) << (7 * i);
    if (byte < 0x80) {
      out = {.value = value, .size_bytes = i + 1};
      return Decode::ok;
    }
  }
  return Decode::malformed;  // the peer means a fifth byte
}

std::size_t varint_size_bytes(std::uint32_t value) {
  BASE_ASSERT(value <= varint_max);
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20'0000 ? 3 : 4;
}

char* write_varint(char* to, std::uint32_t value) {
  BASE_ASSERT(value <= varint_max);
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80U);
  *to++ = static_cast<char>(value);
  return to;
}

void append_varint(std::string& out, std::uint32_t value) {
  char bytes[4];
  out.append(bytes, write_varint(bytes, value));
}

}  // namespace spanwire::mqtt
