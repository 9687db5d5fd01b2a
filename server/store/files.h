// Files as the store uses them. One implementation over the system's calls; another in memory, for
// tests, that can fail, run full and lose what was not synced.
//
// Paths are relative to the folder that was opened, with '/' between names. Every call may block,
// so none but File::read_now() and File::write_at() of small texts belongs on a loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spanwire::store {

enum class ReadNow : std::uint8_t { done, would_block, failed };

// No device has larger blocks.
inline constexpr std::size_t direct_page_bytes = 4096;

// An open file. Several threads may use it at once, at different offsets.
class File {
 public:
  virtual ~File() = default;

  // Returns how much it read: less than asked for only at the end of the file.
  virtual base::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const = 0;
  // The same from memory alone (RWF_NOWAIT): never waits for a disk. `done` may still be less than
  // asked for.
  virtual ReadNow read_now(std::uint64_t offset, std::span<char> into, std::size_t& got) const = 0;
  // So many bytes will be read soon: the system may fetch them meanwhile.
  virtual void will_read(std::uint64_t offset, std::uint64_t bytes) const {
    static_cast<void>(offset);
    static_cast<void>(bytes);
  }
  // Writes all parts behind one another. After an error what stands there is unknown.
  virtual base::Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) = 0;
  // From now on writes of whole pages (direct_page_bytes) from memory that is aligned as these go
  // past the system's cache, where the file system can do so: the sync behind them finds nothing to
  // write any more. All others, and reads, are as before. Belongs before the first write_at().
  virtual void write_past_cache() {}
  // What was written, and the size, is on the device when it returns (fdatasync). After an error
  // what was written since the last success is unknown, and since another try would prove nothing,
  // every later one fails too.
  virtual base::Status sync() = 0;
  // Takes space on the device, which reads as zeros; the file is at least as large afterwards.
  virtual base::Status reserve(std::uint64_t bytes) = 0;
  virtual base::Status truncate(std::uint64_t bytes) = 0;
  virtual base::Result<std::uint64_t> size() const = 0;
  // From there on, or from `from` if that is behind it, all is zeros, most of it never written. As
  // far as the file system tells; else the size.
  virtual base::Result<std::uint64_t> data_end(std::uint64_t from) const = 0;
};

// Held until it is destroyed, or the process ends.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // for this user
};

// How much a file system keeps when the power goes.
enum class Keeping : std::uint8_t {
  disk,
  memory,            // tmpfs: nothing
  volatile_overlay,  // overlayfs mounted volatile: syncing does nothing
};

// A folder and what is below it.
class Files {
 public:
  virtual ~Files() = default;

  virtual base::Result<std::unique_ptr<File>> create(std::string_view path) = 0;  // it must be new
  virtual base::Result<std::unique_ptr<File>> open(std::string_view path) = 0;
  virtual base::Status make_folder(std::string_view path) = 0;  // fine if it is there
  virtual base::Status rename(std::string_view from, std::string_view to) = 0;  // replaces `to`
  virtual base::Status remove(std::string_view path) = 0;       // a file; fine if it is gone
  virtual base::Status remove_tree(std::string_view path) = 0;  // a folder with all in it
  // Names made, renamed and removed in this folder are on the device when it returns.
  virtual base::Status sync_folder(std::string_view path) = 0;
  // The names in a folder, sorted; empty if it is not there.
  virtual base::Result<std::vector<std::string>> list(std::string_view path) const = 0;
  virtual base::Result<std::unique_ptr<FolderLock>> lock(std::string_view path) = 0;
  virtual base::Result<Space> space() const = 0;
  virtual base::Result<Keeping> keeping() const = 0;
};

// `folder` is made with its parents if it is not there, for this user alone (0700).
base::Result<std::unique_ptr<Files>> open_files(const std::string& folder);
// One that is there; its files are opened to be read alone.
base::Result<std::unique_ptr<Files>> open_files_to_read(const std::string& folder);
// The id of the process that has the lock of a store's folder; nullopt: nobody has it.
base::Result<std::optional<std::string>> find_holder(const std::string& folder);

}  // namespace spanwire::store
