#include "store/journal_blocks.h"

#include <string_view>

namespace spanwire::store {

base::Result<bool> JournalBlocks::next(std::vector<Redo>& records) {
  base::Result<bool> found = read(next_, records);
  if (!found || *found || next_.position == 0) return found;
  // What no longer fitted before the end of the ring stands at its begin.
  RingPlace begin = next_;
  begin.position = 0;
  return read(begin, records);
}

base::Result<bool> JournalBlocks::read(const RingPlace& place, std::vector<Redo>& records) {
  if (header_.ring_bytes - place.position < journal_page_bytes) return false;
  block_.resize(journal_page_bytes);
  const std::uint64_t offset = journal_ring_at + place.position;
  auto got = journal_.read_at(offset, block_);
  if (!got) return tl::unexpected(got.error());
  const auto size = block_size(std::string_view(block_).substr(0, *got), place);
  if (!size || *size > header_.ring_bytes - place.position) return false;
  block_.resize(*size);
  if (*size > journal_page_bytes) {
    got = journal_.read_at(offset, block_);
    if (!got) return tl::unexpected(got.error());
  }
  if (*got < *size || !decode_block(block_, header_.salt, place, records)) return false;
  place_ = place;
  next_ = {.position = place.position + whole_pages(*size), .number = place.number + 1};
  return true;
}

base::Result<bool> JournalBlocks::goes_on_behind_damage() {
  std::vector<Redo> records;
  RingPlace place{.position = 0, .number = next_.number + 1};
  for (; place.position < header_.ring_bytes; place.position += journal_page_bytes) {
    const auto found = read(place, records);
    if (!found || *found) return found;
  }
  return false;
}

}  // namespace spanwire::store
