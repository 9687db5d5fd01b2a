// Chunks on their way from the worker that reads them to the loop that takes them, and their memory
// on its way back. Bounded: a worker that is ahead finds no memory, and ends.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "store/segment_scan.h"

namespace spanwire::store {

class ChunkQueue {
 public:
  // That are being read, wait or are being taken. One for each side and two between them, so that
  // neither waits for the other because of one chunk that took longer.
  static constexpr std::size_t most = 4;

  // On the worker. A chunk with the memory of one that was taken; nullopt: all are in use.
  std::optional<Chunk> begin() {
    const base::MutexLock lock(mutex_);
    if (in_use_ == most) return std::nullopt;
    ++in_use_;
    if (spare_.empty()) return Chunk();
    Chunk chunk = std::move(spare_.back());
    spare_.pop_back();
    return chunk;
  }
  // On the worker. True: the loop waits for one, and is to be told.
  bool push(Chunk chunk) {
    const base::MutexLock lock(mutex_);
    read_.push_back(std::move(chunk));
    return std::exchange(waited_for_, false);
  }

  // On the loop. nullopt: there is none yet, and it waits from now on.
  std::optional<Chunk> pop() {
    const base::MutexLock lock(mutex_);
    waited_for_ = read_.empty();
    if (read_.empty()) return std::nullopt;
    Chunk chunk = std::move(read_.front());
    read_.pop_front();
    return chunk;
  }
  void give_back(Chunk chunk) {
    const base::MutexLock lock(mutex_);
    spare_.push_back(std::move(chunk));
    --in_use_;
  }
  // Enough of them are free for a worker to be worth its start.
  bool is_worth_filling() const {
    const base::MutexLock lock(mutex_);
    return in_use_ <= most / 2;
  }
  // The loop has taken all that there was, and is not about to be told of more.
  bool is_waited_for() const {
    const base::MutexLock lock(mutex_);
    return waited_for_;
  }

 private:
  mutable base::Mutex mutex_;
  std::deque<Chunk> read_ ABSL_GUARDED_BY(mutex_);
  std::vector<Chunk> spare_ ABSL_GUARDED_BY(mutex_);
  std::size_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waited_for_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace spanwire::store
