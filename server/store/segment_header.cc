#include "store/segment_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/little_endian.h"

namespace spanwire::store {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view magic = "SPWSEG\r\n"sv;
constexpr std::size_t version_at = 8;
constexpr std::size_t sum_at = 12;
constexpr std::size_t stream_at = 16;
constexpr std::size_t number_at = 24;
constexpr std::size_t salt_at = 32;
constexpr std::size_t reserved_at = 40;

// Of the header with zeros where the sum itself stands.
std::uint32_t sum_of(std::string_view header) {
  const std::uint32_t before = base::crc32c(header.substr(0, sum_at));
  return base::crc32c(header.substr(stream_at), base::crc32c("\0\0\0\0"sv, before));
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string bytes(segment_header_bytes, '\0');
  std::copy(magic.begin(), magic.end(), bytes.begin());
  base::put_little_endian(&bytes[version_at], segment_version);
  base::put_little_endian(&bytes[stream_at], header.stream);
  base::put_little_endian(&bytes[number_at], header.number);
  base::put_little_endian(&bytes[salt_at], header.salt);
  std::copy(header.reserved.begin(), header.reserved.end(), &bytes[reserved_at]);
  base::put_little_endian(&bytes[sum_at], sum_of(bytes));
  return bytes;
}

base::Result<SegmentHeader> decode_segment_header(std::string_view file) {
  if (file.size() < segment_header_bytes) return base::fail("a segment without a whole header");
  const std::string_view bytes = file.substr(0, segment_header_bytes);
  if (bytes.substr(0, magic.size()) != magic) return base::fail("not a segment");
  // Before the sum: a newer version may have another header behind its number.
  const auto version = base::read_little_endian<std::uint32_t>(bytes, version_at);
  if (version > segment_version) {
    return base::fail(
        fmt::format("a segment of version {}, written by a newer server: this one "
                    "reads up to version {}",
                    version, segment_version));
  }
  if (base::read_little_endian<std::uint32_t>(bytes, sum_at) != sum_of(bytes)) {
    return base::fail("a segment whose header is damaged");
  }
  if (version == 0) return base::fail("a segment of version 0, which never was");
  SegmentHeader header{.stream = base::read_little_endian<std::uint64_t>(bytes, stream_at),
                       .number = base::read_little_endian<std::uint64_t>(bytes, number_at),
                       .salt = base::read_little_endian<std::uint64_t>(bytes, salt_at)};
  std::copy_n(bytes.data() + reserved_at, header.reserved.size(), header.reserved.begin());
  return header;
}

std::string segment_path(std::uint64_t stream, std::uint64_t number) {
  return fmt::format("streams/{}/{}.seg", stream, number);
}

}  // namespace spanwire::store
