// What makes the next start short, for file_log.h: a sidecar of each segment that is sealed or
// compacted, and a snapshot of the owner's state with each new segment. Workers write them, one
// after the other; whatever is missing after a crash is found by reading.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "logging/logging.h"
#include "store/file_log.h"
#include "store/segment_header.h"
#include "store/sidecar.h"
#include "store/snapshot.h"
#include "store/whole_file.h"

namespace spanwire::store {

namespace {

// A snapshot waits until so many times the bytes of the last one's state were said: it is written
// for a fraction of what the log itself writes.
constexpr std::uint64_t least_growth = 4;
// When the workers have too much to do.
constexpr base::Duration again_after = std::chrono::milliseconds(5);

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

}  // namespace

// What one worker does.
struct FileLog::Saving {
  base::Ref<const Bytes> snapshot;
  std::vector<base::Ref<SegmentFile>> unsynced;  // before the snapshot
  base::Ref<SegmentFile> segment;                // null: no sidecar
  std::uint64_t end = 0;
  base::Status status;

  void run(Files& files, const std::string& folder) {
    for (const auto& file : unsynced) {
      if (status) status = file->file->sync();
    }
    if (status && segment) status = save_sidecar(files);
    if (status && snapshot) status = replace_file(files, folder, snapshot_name, snapshot->text);
  }
  base::Status save_sidecar(Files& files) const {
    const base::Status synced = segment->file->sync();
    return synced ? write_sidecar(files, *segment, end) : synced;
  }
};

bool FileLog::snapshot_is_due() const {
  return snapshot_due_ && unsnapped_bytes_ >= least_growth * state_bytes_;
}

// Of all that was said, and handed to the committer, by now.
FileLog::Snapped FileLog::take_snapshot() {
  snapshot_due_ = false;
  const LogSegment& open = segments_.open();
  const std::string state = owner_.state();
  unsnapped_bytes_ = 0;
  state_bytes_ = state.size();
  return {
      .bytes = base::make_ref<const Bytes>(encode_snapshot({.position = {open.number(), open.end},
                                                            .salt = open.file->salt,
                                                            .repeated = open.repeated,
                                                            .state = state})),
      .segment = open.file};
}

LogSegment* FileLog::next_without_sidecar() {
  const std::vector<LogSegment>& all = segments_.all();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    // What is not committed yet may still fall back; what is dead goes soon.
    if (all[i].readable < all[i].end || all[i + 1].readable <= segment_header_bytes) return nullptr;
    if (!all[i].has_sidecar && !all[i].dead && !all[i].compacting) {
      return segments_.find(all[i].number());
    }
  }
  return nullptr;
}

void FileLog::save_next() {
  if (saving_ || failed_ || closed_) return;
  auto saving = std::make_shared<Saving>();
  if (snapshot_.bytes) {
    saving->snapshot = snapshot_.bytes;
    saving->unsynced = unsynced_;
    if (services_.settings.sync_interval != base::Duration{}) {
      saving->unsynced.push_back(snapshot_.segment);
    }
  } else if (const LogSegment* segment = next_without_sidecar()) {
    saving->segment = segment->file;
    saving->end = segment->end;
  } else {
    return;
  }
  if (save(saving)) {
    if (saving->snapshot) snapshot_ = {};
    return;
  }
  loop_.start_timer(again_after, lifeline_.bind([this] { save_next(); }));
}

bool FileLog::save(const std::shared_ptr<Saving>& saving) {
  auto work = [saving, jobs = segments_.jobs(), &files = services_.files,
               folder = stream_folder(stream_)] {
    if (!jobs->cancelled) saving->run(files, folder);
  };
  auto done = lifeline_.bind([this, saving] {
    saving_ = false;
    saved(*saving);
    finish_close();
    save_next();
  });
  saving_ = services_.workers.run(std::move(work), loop_, std::move(done));
  return saving_;
}

void FileLog::saved(const Saving& saving) {
  if (!saving.status) {
    log().warn("{}: a start after a crash takes longer, without a sidecar or a snapshot: {}",
               stream_folder(stream_), saving.status.error().text);
  } else if (saving.snapshot) {
    // One whose sync has failed stays here, and no snapshot is written any more.
    std::erase_if(unsynced_, [&](const auto& file) {
      return std::find(saving.unsynced.begin(), saving.unsynced.end(), file) !=
             saving.unsynced.end();
    });
  }
  if (!saving.segment) return;
  LogSegment* segment = segments_.find(saving.segment->number);
  if (segment != nullptr && segment->file == saving.segment) segment->has_sidecar = true;
}

// Everything is committed: saves the state, and what is known of the open segment.
void FileLog::finish_close() {
  if (!closed_ || compacting_ || saving_ || closing_ || !rounds_.empty()) return;
  if (failed_ || segments_.open().end <= segment_header_bytes) return closed();
  closing_ = true;
  auto saving = std::make_shared<Saving>();
  saving->snapshot = take_snapshot().bytes;
  saving->unsynced = unsynced_;
  saving->segment = segments_.open().file;
  saving->end = segments_.open().end;
  auto work = [saving, &files = services_.files, folder = stream_folder(stream_),
               next = segments_.give_next()] {
    // What was taken ahead of need would be searched for an end at the next start.
    if (next) saving->status = files.remove(segment_path(next->stream, next->number));
    if (saving->status) saving->status = saving->segment->file->truncate(saving->end);
    if (saving->status) saving->run(files, folder);
  };
  auto done = lifeline_.bind([this, saving] {
    saved(*saving);
    closed();
  });
  if (services_.workers.run(std::move(work), loop_, std::move(done))) return;
  closing_ = false;
  loop_.start_timer(again_after, lifeline_.bind([this] { finish_close(); }));
}

void FileLog::closed() {
  std::exchange(closed_, nullptr)();
}

}  // namespace spanwire::store
