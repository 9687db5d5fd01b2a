// Bytes on their way to a peer: copied into chunks that the loop lends, or by reference.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/ref.h"
#include "bus/message.h"

namespace spanwire::session {

struct Chunk {
  char* data = nullptr;
  std::size_t size = 0;
};

// A piece of an outbox: bytes of a chunk, or of a message that it keeps alive.
struct OutSegment {
  char* begin = nullptr;  // the first byte not yet written
  char* end = nullptr;    // of the last segment, while its chunk is open: the outbox knows
  Chunk chunk;            // empty for a reference
  base::Ref<const bus::Message> message;
};

// The loop's store of out buffers, in three steps, and of lists of segments. A connection holds
// them only while it has bytes to write, so an idle one owns none. Bounded: what is above the
// limits is freed.
class ChunkPool {
 public:
  static constexpr std::array<std::size_t, 3> steps = {1024, 16 * 1024, 128 * 1024};

  ChunkPool() = default;
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // The smallest step that holds `bytes`, which is at most the largest step.
  Chunk borrow(std::size_t bytes);
  void give_back(Chunk chunk);
  // An empty list, with room from its last use.
  std::vector<OutSegment> borrow_list();
  void give_back(std::vector<OutSegment> list);
  // The sum of all chunks that are borrowed now.
  std::size_t lent_bytes() const { return lent_bytes_; }

 private:
  static constexpr std::array<std::size_t, 3> kept = {1024, 256, 64};
  static constexpr std::size_t kept_lists = 64;
  static constexpr std::size_t kept_list_segments = 1024;
  std::array<std::vector<char*>, 3> free_;
  std::vector<std::vector<OutSegment>> free_lists_;
  std::size_t lent_bytes_ = 0;
};

class Outbox {
 public:
  // The most that reserve() gives in one piece.
  static constexpr std::size_t max_reserve = 64 * 1024;

  explicit Outbox(ChunkPool& pool) : pool_(pool) {}
  ~Outbox() { clear(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Room for at least `bytes` contiguous bytes, valid until the next call; commit() what was used.
  char* reserve(std::size_t bytes) {
    if (static_cast<std::size_t>(limit_ - write_) < bytes) open_chunk(bytes);
    return write_;
  }
  void commit(std::size_t bytes) {
    write_ += bytes;
    size_ += bytes;
  }
  void append(std::string_view bytes);
  // `part` lies in the message, which stays alive until the bytes are written.
  void append(base::Ref<const bus::Message> message, std::string_view part);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The first bytes, as many as the vectors hold; returns the number of vectors filled.
  std::size_t gather(std::span<iovec> vectors) const;
  // The first `bytes` were written.
  void consume(std::size_t bytes);
  void clear();

 private:
  OutSegment& add_segment();
  void open_chunk(std::size_t bytes);
  void close_chunk();
  char* end_of(std::size_t index) const;
  void drop_first();

  ChunkPool& pool_;
  std::vector<OutSegment> segments_;  // borrowed while there are any
  std::size_t first_ = 0;             // segments before it are spent
  char* write_ = nullptr;             // in the last segment, if that is an open chunk
  char* limit_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace spanwire::session
