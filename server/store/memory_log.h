// A log that no file holds: messages lie one behind the other in chunks of memory, each a segment
// of the index. Chunks whose messages are all erased are given back; those of which most is erased
// are written anew with their neighbours, a slice with each commit.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <optional>
#include <vector>

#include "store/index.h"
#include "store/log.h"

namespace spanwire::store {

class MemoryLog final : public Log {
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

  const Totals& ahead() const override { return index_.ahead(); }
  SubjectTotals ahead_of(std::string_view subject) const override {
    return index_.ahead_of(subject);
  }
  Sequence ahead_first() const override { return index_.ahead_first(); }
  Sequence ahead_first_of(std::string_view subject) override {
    return index_.ahead_first_of(subject);
  }
  std::size_t uncommitted_bytes() const override { return uncommitted_bytes_; }

  const Totals& totals() const override { return index_.totals(); }
  SubjectTotals of(std::string_view subject) const override { return index_.of(subject); }
  Read read(Sequence sequence, Message& out) override;
  void fetch(Sequence /*sequence*/, base::Task ready) override { ready(); }
  bool has(Sequence sequence) const override { return index_.has(sequence); }
  std::string_view subject_of(Sequence sequence) const override {
    return index_.subject_of(sequence);
  }

  std::unique_ptr<Selection> select(std::vector<subject::Filter> filters) const override;
  Found next(Selection& selection, Sequence from, std::size_t budget) const override;
  Found last(Selection& selection, Sequence up_to, std::size_t budget) const override;
  Found first_since(base::WallTime time) override { return index_.first_since(time); }
  Found count(Selection& selection, Sequence from, std::uint64_t& count,
              std::size_t budget) const override;
  Walked each_subject(
      Selection& selection, std::string_view after,
      absl::FunctionRef<bool(std::string_view subject, const SubjectTotals& totals)> visit,
      std::size_t budget) const override;

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
  Index index_;
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
