#include "session/outbox.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace spanwire::session {
namespace {

std::size_t step_for(std::size_t bytes) {
  std::size_t step = 0;
  while (step + 1 < ChunkPool::steps.size() && ChunkPool::steps[step] < bytes) ++step;
  return step;
}

}  // namespace

ChunkPool::~ChunkPool() {
  for (auto& list : free_) {
    for (char* data : list) delete[] data;
  }
}

Chunk ChunkPool::borrow(std::size_t bytes) {
  const std::size_t step = step_for(bytes);
  auto& list = free_[step];
  lent_bytes_ += steps[step];
  if (list.empty()) return {new char[steps[step]], steps[step]};
  char* data = list.back();
  list.pop_back();
  return {data, steps[step]};
}

void ChunkPool::give_back(Chunk chunk) {
  const std::size_t step = step_for(chunk.size);
  lent_bytes_ -= chunk.size;
  if (free_[step].size() >= kept[step]) {
    delete[] chunk.data;
  } else {
    free_[step].push_back(chunk.data);
  }
}

std::vector<OutSegment> ChunkPool::borrow_list() {
  if (free_lists_.empty()) return {};
  std::vector<OutSegment> list = std::move(free_lists_.back());
  free_lists_.pop_back();
  return list;
}

void ChunkPool::give_back(std::vector<OutSegment> list) {
  list.clear();
  const bool keep = free_lists_.size() < kept_lists && list.capacity() <= kept_list_segments;
  if (keep) free_lists_.push_back(std::move(list));
}

char* Outbox::end_of(std::size_t index) const {
  const bool open = index + 1 == segments_.size() && write_ != nullptr;
  return open ? write_ : segments_[index].end;
}

void Outbox::close_chunk() {
  if (write_ == nullptr) return;
  segments_.back().end = write_;
  write_ = nullptr;
  limit_ = nullptr;
}

// Grows in steps: a connection that sends little holds little.
void Outbox::open_chunk(std::size_t bytes) {
  BASE_ASSERT(bytes <= max_reserve);
  close_chunk();
  const std::size_t wanted = size_ == 0                    ? ChunkPool::steps[0]
                             : size_ < ChunkPool::steps[1] ? ChunkPool::steps[1]
                                                           : ChunkPool::steps[2];
  OutSegment& segment = add_segment();
  segment.chunk = pool_.borrow(std::max(bytes, wanted));
  segment.begin = segment.chunk.data;
  write_ = segment.chunk.data;
  limit_ = segment.chunk.data + segment.chunk.size;
}

OutSegment& Outbox::add_segment() {
  if (segments_.capacity() == 0) segments_ = pool_.borrow_list();
  return segments_.emplace_back();
}

void Outbox::append(std::string_view bytes) {
  while (!bytes.empty()) {
    auto room = static_cast<std::size_t>(limit_ - write_);
    if (room == 0) {
      open_chunk(std::min(bytes.size(), max_reserve));
      room = static_cast<std::size_t>(limit_ - write_);
    }
    const std::size_t part = std::min(room, bytes.size());
    std::memcpy(write_, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
}

void Outbox::append(base::Ref<const bus::Message> message, std::string_view part) {
  if (part.empty()) return;
  // The open chunk goes on behind the reference: a backlog of large messages must not take a fresh
  // chunk for each head. The last segment of a chunk owns it, and is the last to be written.
  char* const write = write_;
  char* const limit = limit_;
  Chunk open;
  if (write != limit) std::swap(open, segments_.back().chunk);
  close_chunk();
  OutSegment& segment = add_segment();
  segment.begin = const_cast<char*>(part.data());  // only read: iovec has no const
  segment.end = segment.begin + part.size();
  segment.message = std::move(message);
  size_ += part.size();
  if (open.data == nullptr) return;
  OutSegment& rest = add_segment();
  rest.chunk = open;
  rest.begin = write;
  write_ = write;
  limit_ = limit;
}

std::size_t Outbox::gather(std::span<iovec> vectors) const {
  std::size_t used = 0;
  for (std::size_t i = first_; i < segments_.size() && used < vectors.size(); ++i) {
    char* const begin = segments_[i].begin;
    const auto bytes = static_cast<std::size_t>(end_of(i) - begin);
    if (bytes != 0) vectors[used++] = {begin, bytes};
  }
  return used;
}

void Outbox::consume(std::size_t bytes) {
  BASE_ASSERT(bytes <= size_);
  size_ -= bytes;
  if (size_ == 0) {
    clear();
    return;
  }
  while (bytes != 0) {
    OutSegment& segment = segments_[first_];
    const auto held = static_cast<std::size_t>(end_of(first_) - segment.begin);
    const std::size_t part = std::min(held, bytes);
    segment.begin += part;
    bytes -= part;
    if (part == held) drop_first();  // never the last one: something is left
  }
}

void Outbox::drop_first() {
  OutSegment& segment = segments_[first_];
  if (segment.chunk.data != nullptr) pool_.give_back(segment.chunk);
  segment = OutSegment();
  ++first_;
  if (first_ > 64 && first_ * 2 > segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void Outbox::clear() {
  for (std::size_t i = first_; i < segments_.size(); ++i) {
    if (segments_[i].chunk.data != nullptr) pool_.give_back(segments_[i].chunk);
  }
  if (segments_.capacity() != 0) pool_.give_back(std::exchange(segments_, {}));
  first_ = 0;
  write_ = nullptr;
  limit_ = nullptr;
  size_ = 0;
}

}  // namespace spanwire::session
