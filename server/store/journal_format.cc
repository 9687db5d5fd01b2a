#include "store/journal_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

namespace spanwire::store {

namespace {

using namespace std::string_view_literals;
using base::put_little_endian;
using base::read_little_endian;

constexpr std::string_view header_magic = "SPWJNL\r\n"sv;
constexpr std::size_t header_version_at = 8;
constexpr std::size_t header_sum_at = 12;
constexpr std::size_t header_salt_at = 16;
constexpr std::size_t header_generation_at = 24;
constexpr std::size_t header_ring_at = 32;
constexpr std::size_t header_position_at = 40;
constexpr std::size_t header_number_at = 48;

constexpr std::string_view block_magic = "SPWB"sv;
constexpr std::size_t block_sum_at = 4;
constexpr std::size_t block_number_at = 8;
constexpr std::size_t block_position_at = 16;
constexpr std::size_t block_size_at = 24;
constexpr std::size_t block_records_at = 28;
// No file is as large, and no sum of an offset and a size overflows.
constexpr std::uint64_t max_offset = std::uint64_t{1} << 62;

std::uint32_t sum_of_header(std::string_view bytes) {
  const std::uint32_t before = base::crc32c(bytes.substr(0, header_sum_at));
  return base::crc32c(bytes.substr(header_salt_at), base::crc32c("\0\0\0\0"sv, before));
}

// Number and place are among the bytes, so a block of another lap or place has another sum.
std::uint32_t sum_of_block(std::string_view block, std::uint64_t salt) {
  char seed[sizeof salt];
  put_little_endian(seed, salt);
  return base::crc32c(block.substr(block_number_at), base::crc32c({seed, sizeof seed}));
}

}  // namespace

std::string encode_journal_header(const JournalHeader& header) {
  std::string bytes(journal_header_bytes, '\0');
  std::copy(header_magic.begin(), header_magic.end(), bytes.begin());
  put_little_endian(&bytes[header_version_at], journal_version);
  put_little_endian(&bytes[header_salt_at], header.salt);
  put_little_endian(&bytes[header_generation_at], header.generation);
  put_little_endian(&bytes[header_ring_at], header.ring_bytes);
  put_little_endian(&bytes[header_position_at], header.start.position);
  put_little_endian(&bytes[header_number_at], header.start.number);
  put_little_endian(&bytes[header_sum_at], sum_of_header(bytes));
  return bytes;
}

// Before the sum: a newer version may have another header behind its number.
bool is_newer_journal(std::string_view header_bytes) {
  return header_bytes.size() >= journal_header_bytes &&
         header_bytes.substr(0, header_magic.size()) == header_magic &&
         read_little_endian<std::uint32_t>(header_bytes, header_version_at) > journal_version;
}

base::Result<JournalHeader> decode_journal_header(std::string_view bytes) {
  if (bytes.size() < journal_header_bytes) return base::fail("a header is cut off");
  bytes = bytes.substr(0, journal_header_bytes);
  if (bytes.substr(0, header_magic.size()) != header_magic) return base::fail("no header");
  const auto version = read_little_endian<std::uint32_t>(bytes, header_version_at);
  if (is_newer_journal(bytes)) {
    return base::fail(
        fmt::format("of version {}, written by a newer server: this one reads up to version {}",
                    version, journal_version));
  }
  if (read_little_endian<std::uint32_t>(bytes, header_sum_at) != sum_of_header(bytes)) {
    return base::fail("a header is damaged");
  }
  const JournalHeader header{
      .salt = read_little_endian<std::uint64_t>(bytes, header_salt_at),
      .generation = read_little_endian<std::uint64_t>(bytes, header_generation_at),
      .ring_bytes = read_little_endian<std::uint64_t>(bytes, header_ring_at),
      .start = {.position = read_little_endian<std::uint64_t>(bytes, header_position_at),
                .number = read_little_endian<std::uint64_t>(bytes, header_number_at)}};
  const bool whole = header.ring_bytes % journal_page_bytes == 0 &&
                     header.start.position % journal_page_bytes == 0;
  if (version == 0 || !whole || header.start.position > header.ring_bytes) {
    return base::fail("a header with sizes that cannot be");
  }
  return header;
}

void BlockWriter::clear() {
  bytes_.clear();
  bytes_.append_zeros(block_header_bytes);
  records_ = 0;
}

template <class Number>
void BlockWriter::append(Number value) {
  char bytes[sizeof value];
  put_little_endian(bytes, value);
  append(std::string_view(bytes, sizeof bytes));
}

void BlockWriter::append(std::string_view text) {
  bytes_.append(text);
}

void BlockWriter::add(const Redo& redo, const std::vector<std::string_view>& more) {
  std::size_t size = redo.bytes.size();
  for (const std::string_view part : more) size += part.size();
  BASE_ASSERT(bytes_.size() + redo_header_bytes + size <= max_block_bytes);
  append(redo.stream);
  append(redo.segment);
  append(redo.salt);
  append(redo.offset);
  append(static_cast<std::uint32_t>(size));
  append(redo.bytes);
  for (const std::string_view part : more) append(part);
  ++records_;
}

std::string_view BlockWriter::finish(std::uint64_t salt, const RingPlace& place) {
  const std::size_t size = bytes_.size();
  char* const block = bytes_.data();
  std::copy(block_magic.begin(), block_magic.end(), block);
  put_little_endian(block + block_number_at, place.number);
  put_little_endian(block + block_position_at, place.position);
  put_little_endian(block + block_size_at, static_cast<std::uint32_t>(size));
  put_little_endian(block + block_records_at, records_);
  put_little_endian(block + block_sum_at, sum_of_block(bytes_.text(), salt));
  bytes_.append_zeros(whole_pages(size) - size);
  return bytes_.text();
}

std::optional<std::size_t> block_size(std::string_view begin, const RingPlace& place) {
  if (begin.size() < block_header_bytes) return std::nullopt;
  if (begin.substr(0, block_magic.size()) != block_magic) return std::nullopt;
  if (read_little_endian<std::uint64_t>(begin, block_number_at) != place.number) {
    return std::nullopt;
  }
  const auto size = read_little_endian<std::uint32_t>(begin, block_size_at);
  if (size < block_header_bytes || size > max_block_bytes) return std::nullopt;
  return size;
}

bool decode_block(std::string_view block, std::uint64_t salt, const RingPlace& place,
                  std::vector<Redo>& records) {
  records.clear();
  if (block_size(block, place) != block.size()) return false;
  if (read_little_endian<std::uint64_t>(block, block_position_at) != place.position) return false;
  if (read_little_endian<std::uint32_t>(block, block_sum_at) != sum_of_block(block, salt)) {
    return false;
  }
  const auto count = read_little_endian<std::uint32_t>(block, block_records_at);
  block.remove_prefix(block_header_bytes);
  while (!block.empty()) {
    if (block.size() < redo_header_bytes) return false;
    Redo redo{.stream = read_little_endian<std::uint64_t>(block, 0),
              .segment = read_little_endian<std::uint64_t>(block, 8),
              .salt = read_little_endian<std::uint64_t>(block, 16),
              .offset = read_little_endian<std::uint64_t>(block, 24)};
    const auto size = read_little_endian<std::uint32_t>(block, 32);
    block.remove_prefix(redo_header_bytes);
    if (size > block.size() || redo.offset > max_offset) return false;
    redo.bytes = block.substr(0, size);
    block.remove_prefix(size);
    records.push_back(redo);
  }
  return records.size() == count;
}

}  // namespace spanwire::store
