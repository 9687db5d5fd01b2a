#include "store/journal_replay.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "store/journal_blocks.h"
#include "store/segment_header.h"

namespace spanwire::store {

namespace {

tl::unexpected<base::Error> passed_on(const base::Error& error) {
  return base::fail(error.text);
}

// Half of the descriptors that a process may have at least, so that the rest has some.
constexpr std::size_t max_open_segments = 256;

// The segments that records are for, opened as they are met.
class Segments {
 public:
  explicit Segments(Files& files) : files_(files) {}

  // Null: no segment with that salt is there.
  base::Result<File*> find(const Redo& redo) {
    const auto key = std::pair(redo.stream, redo.segment);
    auto found = open_.find(key);
    if (found == open_.end()) {
      if (open_.size() >= max_open_segments) {
        if (const base::Status synced = sync(); !synced) return passed_on(synced.error());
      }
      base::Result<Segment> opened = open(redo.stream, redo.segment);
      if (!opened) return passed_on(opened.error());
      found = open_.emplace(key, std::move(*opened)).first;
    }
    Segment& segment = found->second;
    return segment.file && segment.salt == redo.salt ? segment.file.get() : nullptr;
  }

  // Everything that was written; the files are closed.
  base::Status sync() {
    for (auto& [key, segment] : open_) {
      if (!segment.file) continue;
      if (base::Status synced = segment.file->sync(); !synced) return synced;
    }
    open_.clear();
    return {};
  }

 private:
  struct Segment {
    std::unique_ptr<File> file;  // null: not there, or nothing that a record could be for
    std::uint64_t salt = 0;
  };

  // A segment that is there and cannot be opened fails the replay: what was acknowledged may be in
  // the journal alone.
  base::Result<Segment> open(std::uint64_t stream, std::uint64_t number) {
    const std::string path = segment_path(stream, number);
    const std::size_t slash = path.rfind('/');
    const auto names = files_.list(std::string_view(path).substr(0, slash));
    if (!names) return passed_on(names.error());
    if (!std::binary_search(names->begin(), names->end(), path.substr(slash + 1))) {
      return Segment{};
    }
    auto file = files_.open(path);
    if (!file) return passed_on(file.error());
    std::array<char, segment_header_bytes> bytes{};
    const auto got = (*file)->read_at(0, bytes);
    if (!got) return passed_on(got.error());
    const auto header = decode_segment_header({bytes.data(), *got});
    // A name for another file's bytes, or a header that never reached the disk, so that nothing
    // in it was acknowledged: the log says what it finds.
    if (!header || header->stream != stream || header->number != number) return Segment{};
    return Segment{.file = std::move(*file), .salt = header->salt};
  }

  Files& files_;
  absl::flat_hash_map<std::pair<std::uint64_t, std::uint64_t>, Segment> open_;
};

}  // namespace

base::Result<std::optional<CurrentHeader>> read_journal_header(const File& journal) {
  std::optional<CurrentHeader> current;
  for (std::size_t slot = 0; slot < 2; ++slot) {
    std::array<char, journal_header_bytes> space{};
    const auto got = journal.read_at(slot * journal_page_bytes, space);
    if (!got) return passed_on(got.error());
    const std::string_view bytes(space.data(), *got);
    const auto header = decode_journal_header(bytes);
    if (!header && is_newer_journal(bytes)) {
      return base::fail(fmt::format("the store's journal is {}", header.error().text));
    }
    if (!header) continue;
    if (!current || header->generation > current->header.generation) {
      current = CurrentHeader{.header = *header, .slot = slot};
    }
  }
  return current;
}

base::Result<Replayed> replay_journal(Files& files, const File& journal,
                                      const JournalHeader& header,
                                      std::optional<SegmentName> only) {
  Replayed replayed;
  Segments segments(files);
  JournalBlocks reader(journal, header);
  std::vector<Redo> records;
  for (;;) {
    const base::Result<bool> more = reader.next(records);
    if (!more) return passed_on(more.error());
    if (!*more) break;
    ++replayed.blocks;
    for (const Redo& redo : records) {
      if (only && (redo.stream != only->stream || redo.segment != only->number)) continue;
      const base::Result<File*> file = segments.find(redo);
      if (!file) return passed_on(file.error());
      if (*file == nullptr) {
        ++replayed.skipped;
        continue;
      }
      const base::Status written = (*file)->write_at(redo.offset, std::array{redo.bytes});
      if (!written) return passed_on(written.error());
      ++replayed.records;
      replayed.bytes += redo.bytes.size();
    }
  }
  if (const base::Status synced = segments.sync(); !synced) return passed_on(synced.error());
  return replayed;
}

}  // namespace spanwire::store
