// A larger file for a commit journal whose ring goes on being used.
//
// A helper writes the file through under another name. Then each round copies a slice of the ring
// to the same place in it, so that the larger ring holds what the smaller one does; a block that is
// written behind the copy's front comes along with its slice, one before it is written to both.
// When all is there the file is synced and renamed, and from then on every round is synced in both,
// until a helper has synced the folder: whichever of the two a power cut leaves is whole. No round
// waits for the making, for the folder, or for any segment.
//
// Belongs to the committer's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/files.h"
#include "store/helpers.h"
#include "store/journal_format.h"

namespace spanwire::store {

inline constexpr const char* journal_path = "journal";
inline constexpr const char* new_journal_path = "journal.new";

// The ring of a file of this size.
std::uint64_t journal_ring_bytes(std::uint64_t file_bytes);
// A file of zeros under new_journal_path, written through: later syncs of it touch no metadata.
// Gives up, with an error, when `unwanted` becomes true.
base::Result<std::unique_ptr<File>> make_journal_file(Files& files, std::uint64_t bytes,
                                                      const std::atomic<bool>& unwanted);

class JournalGrowth {
 public:
  // `slice_bytes` are copied in a round, whole pages.
  JournalGrowth(Files& files, Helpers& helpers, std::uint64_t file_bytes, std::size_t slice_bytes);
  // Unless the file has its name it is removed.
  ~JournalGrowth();
  JournalGrowth(const JournalGrowth&) = delete;
  JournalGrowth& operator=(const JournalGrowth&) = delete;

  enum class Stage : std::uint8_t {
    making,
    copying,
    renamed,  // whether that is durable is not known
    done,     // the file has taken the other's place
    failed,   // and there is none: the ring does its work as it is
  };
  Stage stage() const { return stage_; }

  // Before a round; `old` is the file of the ring, `header` what counts there or will with the next
  // sync, to be written next to `slot`. An error is one of Stage::renamed, as are those of the next
  // three: what is on the disk is unknown.
  base::Status go_on(const File& old, const JournalHeader& header, std::size_t slot);
  // What was written to the old file, and its sync.
  base::Status write_block(std::uint64_t offset, std::string_view bytes);
  base::Status write_header(const JournalHeader& header, std::size_t slot);
  base::Status sync();

  std::uint64_t ring_bytes() const { return ring_bytes_; }
  // When it is done.
  std::unique_ptr<File> take_file() { return std::move(file_); }

 private:
  void begin_copying();
  base::Status copy_slice(const File& old, std::uint64_t old_end);
  base::Status rename(const JournalHeader& header, std::size_t slot);
  base::Status settle_name();
  void give_up();

  Files& files_;
  Helpers& helpers_;
  const std::uint64_t ring_bytes_;
  const std::size_t slice_bytes_;
  Stage stage_ = Stage::making;
  std::unique_ptr<File> file_;
  std::uint64_t copied_ = journal_ring_at;  // up to here, of the old file
  PageBytes slice_;

  std::atomic<bool> unwanted_{false};
  base::Result<std::unique_ptr<File>> made_;
  base::Status folder_synced_;
  std::unique_ptr<Helpers::Batch> batch_;  // first in destruction: it waits
};

}  // namespace spanwire::store
