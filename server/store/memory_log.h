// A log that no file holds: messages lie one behind the other in chunks of memory, each a segment
// of the index. Chunks whose messages are all erased are given back; those of which most is erased
// are written anew with their neighbours, a slice with each commit.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <optional>
#include <vector>

#include "store/indexed_log.h"

namespace spanwire::store {

class MemoryLog final : public IndexedLog {
 public:
  explicit MemoryLog(Owner& owner);

  Storage storage() const override { return Storage::memory; }

  Sequence append(const Appending& message) override;
  bool erase(Sequence sequence) override { return index_.erase(sequence); }
  bool erase_through(Sequence sequence, std::size_t budget) override {
    return index_.erase_through(sequence, budget);
  }
  void note(std::uint32_t /*kind*/, std::string_view /*note*/) override {}  // never recovered
  Ticket commit() override;
  const base::Error* failed() const override { return nullptr; }

  std::size_t uncommitted_bytes() const override { return uncommitted_bytes_; }

  Read read(Sequence sequence, Message& out) override;
  void fetch(Sequence /*sequence*/, base::Task ready) override { ready(); }

  Footprint footprint() const override;
  void close(base::Done<> done) override;

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    std::size_t used = 0;
  };
  // Messages on their way into a new chunk.
  struct Rewriting {
    Sequence next = 0;  // the first that is not there yet
    Sequence last = 0;  // of the segments that are written anew
    Chunk chunk;
    std::unique_ptr<IndexSegment> segment;
  };

  const char* record(const Index::Place& place) const;
  base::WallTime time_of(Sequence sequence) const;
  // What a chunk should hold, for a log of this size.
  std::size_t chunk_bytes() const;
  void make_room(std::size_t bytes);

  void tidy();
  void seal_if_mostly_dead();
  bool mostly_dead(std::size_t at) const;
  bool small(std::size_t at) const;
  void begin_rewriting();
  void go_on_rewriting();
  void end_rewriting();
  void free_dead();

  Owner& owner_;
  absl::flat_hash_map<std::uint64_t, Chunk> chunks_;  // by the number of their segment
  std::uint64_t open_ = 0;                            // number of the one that is appended to
  std::uint64_t last_number_ = 0;
  std::size_t chunks_bytes_ = 0;
  std::optional<Rewriting> rewriting_;
  std::size_t looked_at_ = 0;  // segments are looked at in turn
  Ticket ticket_ = 0;
  std::size_t uncommitted_bytes_ = 0;
};

}  // namespace spanwire::store
