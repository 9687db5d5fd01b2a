// The newest bytes of a log, kept as they were written: who follows a stream closely never reads a
// file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "base/ref.h"
#include "store/committer.h"
#include "store/record.h"

namespace spanwire::store {

// What all logs of a process together keep of their tails; shared by their loops.
class TailBudget {
 public:
  explicit TailBudget(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  void take(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool exceeded() const { return used() > limit_bytes_; }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_bytes_;
  std::atomic<std::uint64_t> used_{0};
};

// Belongs to one log. Forgets the oldest batches beyond its limit, and nearly all of them while the
// process is beyond its own; the newest batch always stays.
class TailCache {
 public:
  TailCache(TailBudget& budget, std::size_t limit_bytes)
      : budget_(budget), limit_bytes_(limit_bytes) {}
  ~TailCache() { clear(); }
  TailCache(const TailCache&) = delete;
  TailCache& operator=(const TailCache&) = delete;

  // Batches are added in the order of their positions.
  void add(Position at, base::Ref<const Bytes> batch);
  // What is kept from this position on, up to the end of its batch; empty: nothing.
  std::string_view find(Position at) const;
  // Forgets batches that end at or before this position.
  void forget_before(Position first);
  void clear();
  std::size_t bytes() const { return bytes_; }

 private:
  struct Piece {
    Position at;
    base::Ref<const Bytes> batch;
  };
  void drop_front();
  void count_out(const Piece& piece);

  TailBudget& budget_;
  const std::size_t limit_bytes_;
  std::deque<Piece> pieces_;
  std::size_t bytes_ = 0;
};

}  // namespace spanwire::store
