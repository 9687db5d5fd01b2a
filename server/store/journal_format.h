// The bytes of the commit journal (docs/formats/journal.md): a file of two headers and a ring of
// blocks. A block is one round of the committer: redo records, one sum over all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/page_bytes.h"

namespace spanwire::store {

inline constexpr std::uint32_t journal_version = 1;
// Headers and blocks begin at multiples of this: no page holds parts of two of them, so writing one
// can damage no other.
inline constexpr std::size_t journal_page_bytes = 4096;
static_assert(journal_page_bytes % direct_page_bytes == 0);
inline constexpr std::size_t journal_ring_at = 2 * journal_page_bytes;  // behind the two headers
inline constexpr std::size_t journal_header_bytes = 64;
inline constexpr std::size_t block_header_bytes = 32;
inline constexpr std::size_t redo_header_bytes = 36;
// No block is larger, whatever the size of the ring.
inline constexpr std::size_t max_block_bytes = 8U << 20;

constexpr std::size_t whole_pages(std::size_t bytes) {
  return (bytes + journal_page_bytes - 1) / journal_page_bytes * journal_page_bytes;
}

// A place in the ring, and the number of the block that stands there or will.
struct RingPlace {
  std::uint64_t position = 0;  // from the ring's begin
  std::uint64_t number = 1;
};

struct JournalHeader {
  std::uint64_t salt = 0;
  std::uint64_t generation = 0;  // of two valid headers the one with the higher counts
  std::uint64_t ring_bytes = 0;
  RingPlace start;  // what is replayed first
};

std::string encode_journal_header(const JournalHeader& header);
// Fails on less than journal_header_bytes, on another magic or sum, on a newer version and on sizes
// that cannot be.
base::Result<JournalHeader> decode_journal_header(std::string_view bytes);
// A journal that this server must not touch.
bool is_newer_journal(std::string_view header_bytes);

// Bytes that belong at `offset` of a segment's file.
struct Redo {
  std::uint64_t stream = 0;
  std::uint64_t segment = 0;
  std::uint64_t salt = 0;
  std::uint64_t offset = 0;
  std::string_view bytes;
};

// Builds a block; the storage is kept from one to the next.
class BlockWriter {
 public:
  BlockWriter() { clear(); }
  void clear();
  bool empty() const { return records_ == 0; }
  std::size_t size() const { return bytes_.size(); }
  // `redo.bytes` is the first part of the record's bytes, `more` follow it.
  void add(const Redo& redo, const std::vector<std::string_view>& more = {});
  // The block with zeros up to the end of its last page, aligned as a page; valid until the next
  // clear().
  std::string_view finish(std::uint64_t salt, const RingPlace& place);

 private:
  template <class Number>
  void append(Number value);
  void append(std::string_view text);

  PageBytes bytes_;
  std::uint32_t records_ = 0;
};

// How long the block says it is, from its first block_header_bytes; nullopt: no block with this
// number begins here. Nothing is checked yet.
std::optional<std::size_t> block_size(std::string_view begin, const RingPlace& place);
// Reads a block of exactly block_size() bytes. False: it is not the whole block that was written
// for this place under this salt, so none of it counts. The records' texts lie in `block`.
bool decode_block(std::string_view block, std::uint64_t salt, const RingPlace& place,
                  std::vector<Redo>& records);

}  // namespace spanwire::store
