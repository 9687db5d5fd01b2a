#include "store/each_record.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "store/segment_header.h"

namespace spanwire::store {

namespace {

// As much is read at once, and held by each worker that reads a segment.
constexpr std::uint64_t chunk_bytes = std::uint64_t{256} << 10;

}  // namespace

base::Status each_record(
    const SegmentFile& segment, std::uint64_t end,
    absl::FunctionRef<base::Status(const Record& record, std::uint64_t offset)> take) {
  const auto fail = [&](std::string_view words) {
    return base::fail(segment_path(segment.stream, segment.number) + std::string(words));
  };
  std::string bytes;
  std::uint64_t offset = segment_header_bytes;  // of the first byte in `bytes`
  while (offset < end) {
    const std::size_t have = bytes.size();
    const std::uint64_t wanted = std::min<std::uint64_t>(
        end - offset, std::max<std::uint64_t>(chunk_bytes, record_size(bytes)));
    bytes.resize(std::max<std::size_t>(wanted, have));
    const auto got = segment.file->read_at(offset + have, std::span(bytes).subspan(have));
    if (!got) return tl::unexpected(got.error());
    if (*got < bytes.size() - have) return fail(" ends before its last batch");
    std::size_t at = 0;
    Record record;
    while (at < bytes.size()) {
      const std::string_view here = std::string_view(bytes).substr(at);
      const Decode decoded = decode_record(here, segment.salt, offset + at, record);
      if (decoded == Decode::bad) return fail(" is damaged");
      if (decoded == Decode::need_more) break;
      if (const base::Status taken = take(record, offset + at); !taken) return taken;
      at += record.size_bytes;
    }
    if (at == 0 && offset + bytes.size() >= end) return fail(" is damaged");
    bytes.erase(0, at);
    offset += at;
  }
  return {};
}

}  // namespace spanwire::store
