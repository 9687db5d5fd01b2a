// A store that is only looked at: what a start of the server would find in it, with the journal
// replayed and interrupted work tidied up in memory. For `spanwire store`. Blocks; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/files.h"
#include "store/journal_replay.h"
#include "store/overlay_files.h"
#include "store/record.h"
#include "store/segment_scan.h"
#include "store/snapshot.h"

namespace spanwire::store {

// Hears a stream's log in the order in which it was said.
class LogVisitor {
 public:
  virtual ~LogVisitor() = default;
  // What follows is of this segment.
  virtual void on_segment(const FoundSegment& segment) = 0;
  virtual void on_record(const Record& record, std::uint64_t offset) = 0;
  // Acknowledged, and not what was written.
  virtual void on_damage(std::uint64_t offset, std::uint64_t bytes) = 0;
  // False: that was enough.
  virtual bool wants_more() const { return true; }
};

class StoreView {
 public:
  struct JournalState {
    std::unique_ptr<File> file;           // null: there is none
    std::optional<JournalHeader> header;  // nullopt: neither of its headers is whole
    Replayed replayed;
    bool damaged_block = false;  // others were written behind the first that is not whole
  };

  // `files` live longer. Fails on what is no store, and on a newer server's.
  static base::Result<std::unique_ptr<StoreView>> open(Files& files);

  const JournalState& journal() const { return journal_; }
  // Those that a start would find, in their order, and those whose settings are damaged.
  const std::vector<std::uint64_t>& streams() const { return streams_; }
  // Names of interrupted creations and removals, which a start removes.
  const std::vector<std::string>& leftovers() const { return leftovers_; }
  // What its owner was told to keep; nullopt: it is damaged.
  base::Result<std::optional<std::string>> settings(std::uint64_t stream);

  struct Read {
    std::vector<FoundSegment> segments;  // that count, each with its end
    std::optional<Snapshot> snapshot;    // one that fits them; its state is not there
  };
  // If the visitor has had enough the segments are those that were found.
  base::Result<Read> read(std::uint64_t stream, LogVisitor& visitor);
  // As a start would have them, and as they are.
  OverlayFiles& files() { return files_; }
  const Files& below() const { return below_; }

 private:
  explicit StoreView(Files& files) : below_(files), files_(files) {}
  base::Status read_journal();
  base::Status find_streams();
  base::Result<std::optional<Snapshot>> fitting_snapshot(std::uint64_t stream);

  const Files& below_;
  OverlayFiles files_;
  JournalState journal_;
  std::vector<std::uint64_t> streams_;
  std::vector<std::string> leftovers_;
};

}  // namespace spanwire::store
