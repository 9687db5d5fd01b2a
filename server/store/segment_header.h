// The first 64 bytes of a segment's file, which is streams/<stream>/<number>.seg in the store's
// folder: whose it is, and the salt that all sums in it start from. docs/formats/ has the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spanwire::store {

inline constexpr std::size_t segment_header_bytes = 64;
inline constexpr std::uint32_t segment_version = 1;

struct SegmentHeader {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
  std::uint64_t salt = 0;
  std::array<char, 24> reserved{};  // the log's own
};

std::string encode_segment_header(const SegmentHeader& header);
// Reads the first segment_header_bytes of `file`. Fails on less, on another magic or sum, and on a
// newer version, which is said so.
base::Result<SegmentHeader> decode_segment_header(std::string_view file);

// Where the file lies, from the store's folder.
std::string segment_path(std::uint64_t stream, std::uint64_t number);

}  // namespace spanwire::store
