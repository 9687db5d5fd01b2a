#include "store/tail_cache.h"

#include <algorithm>

namespace spanwire::store {

namespace {

// What a log keeps while the process is beyond its budget.
constexpr std::size_t least_bytes = 64U << 10;
// A piece's own size, so that many small ones count.
constexpr std::size_t piece_bytes = 96;

}  // namespace

void TailCache::add(Position at, base::Ref<const Bytes> batch) {
  const std::size_t size = batch->text.capacity() + piece_bytes;
  pieces_.push_back({at, std::move(batch)});
  bytes_ += size;
  budget_.take(size);
  const std::size_t limit = budget_.exceeded() ? std::min(least_bytes, limit_bytes_) : limit_bytes_;
  while (bytes_ > limit && pieces_.size() > 1) drop_front();
}

std::string_view TailCache::find(Position at) const {
  auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), at,
                       [](Position wanted, const Piece& piece) { return wanted < piece.at; });
  if (after == pieces_.begin()) return {};
  const Piece& piece = *--after;
  if (piece.at.segment != at.segment) return {};
  const std::uint64_t skip = at.offset - piece.at.offset;
  const std::string_view text = piece.batch->text;
  return skip < text.size() ? text.substr(skip) : std::string_view();
}

void TailCache::forget_before(Position first) {
  while (!pieces_.empty()) {
    const Piece& piece = pieces_.front();
    if (first < Position{piece.at.segment, piece.at.offset + piece.batch->text.size()}) return;
    drop_front();
  }
}

void TailCache::clear() {
  while (!pieces_.empty()) drop_front();
}

void TailCache::drop_front() {
  count_out(pieces_.front());
  pieces_.pop_front();
}

void TailCache::count_out(const Piece& piece) {
  const std::size_t size = piece.batch->text.capacity() + piece_bytes;
  bytes_ -= size;
  budget_.give_back(size);
}

}  // namespace spanwire::store
