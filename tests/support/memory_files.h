// A disk in memory, for tests and simulations of what holds files (store/files.h).
//
// What it does, after what devices and journalling file systems do:
//
// - A file's bytes live in sectors of 512 B. What was written and not synced may, at a power cut,
// be
//   there or not, sector by sector and in any order; of a sector that was written several times any
//   version may be there. A sector is never torn.
// - sync() makes a file's bytes and its size durable, and nothing else: not its name.
// - The sizes of a file change in the order of the calls: after a cut it has the synced size or one
//   that it had later. Bytes within that size which never reached the device are zeros, also where
//   the file grew by a write. What truncate() took away comes back only if the truncation itself is
//   lost.
// - Names that were made, renamed and removed in a folder take effect on the device in the order of
//   the calls, and a cut leaves any first part of them, for each folder by itself. sync_folder()
//   makes all of them durable. A rename is there wholly or not at all, also between two folders. A
//   file that was removed may come back with its bytes; one whose name is lost is lost.
// - After a failed sync() what was written before it is never certain again: until a sector is
//   written anew, a power cut may show it in any of its versions, even if a sync() of the file
//   opened once more has succeeded, as it does on Linux. A failed write has written a first part.
// - reserve() takes room: the file grows, by zeros.
//
// What it does not do: lose or change what was synced (a test does that by change()), give back
// what another file held, tear a rename.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "store/files.h"

namespace spanwire::test {

class MemoryFiles;

// What is asked of a disk. All but `read` change something.
enum class Call : std::uint8_t {
  create,
  make_folder,
  rename,
  remove,
  sync_folder,
  write,
  sync,
  reserve,
  truncate,
  read,
};

enum class Outcome : std::uint8_t {
  fine,
  fails,
  power_cut,  // it is carried out, unsynced, but the caller never hears; nor does anyone later
};

// The disk, which outlives what is opened on it. May be used by several threads.
class MemoryDisk {
 public:
  MemoryDisk();
  ~MemoryDisk();

  // Opens the whole disk, as a process does at its start.
  std::unique_ptr<store::Files> open();

  // Decides what becomes of each call, from now on. It may not call the disk.
  using Decide = std::function<Outcome(Call call, std::string_view path)>;
  void decide(Decide decide);
  // How many calls there were that change something.
  std::uint64_t changes() const;
  // The power goes in the change with this number (changes() + 1 is the next), whatever decide
  // says.
  void cut_at(std::uint64_t change);
  bool is_off() const;  // the power went in a call

  // Takes the power away and gives it back: what was opened before fails for good, locks are gone,
  // and the disk holds what a device may hold then. decide() and cut_at() are forgotten.
  void cut_power(base::Random& random);

  void set_limit(std::uint64_t bytes);         // of all files; a write beyond it fails: disk full
  void set_keeping(store::Keeping keeping);    // what Files::keeping() answers
  void set_cold(bool cold);                    // read_now() would block
  void lock_elsewhere(std::string_view path);  // by another process, until the power goes

  // Beside any open file. `change` also makes it durable, and makes the file if it is not there.
  bool has(std::string_view path) const;
  std::string content(std::string_view path) const;
  void change(std::string_view path, std::string content);
  void remove(std::string_view path);  // a file, durably
  std::uint64_t used_bytes() const;

  // Bytes that were read of each path by Files, since the start or the last call of forget_reads().
  std::map<std::string, std::uint64_t> reads() const;
  void forget_reads();

 private:
  friend class MemoryFiles;
  friend class MemoryFile;
  friend class MemoryLock;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace spanwire::test
