// A committer with its journal on a disk in memory: rounds happen when a test steps them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/round_committer.h"
#include "store/segment_header.h"
#include "tests/support/deferred_helpers.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_files.h"

namespace spanwire::test {

using Segment = base::Ref<store::SegmentFile>;

// Makes a segment as a log does: when it returns, its header and its name are durable.
inline base::Result<Segment> make_segment(store::Files& files, std::uint64_t stream,
                                          std::uint64_t number, std::uint64_t salt) {
  const std::string folder = fmt::format("streams/{}", stream);
  const std::string header = store::encode_segment_header(
      {.stream = stream, .number = number, .salt = salt, .reserved = {}});
  auto segment = base::make_ref<store::SegmentFile>();
  segment->stream = stream;
  segment->number = number;
  segment->salt = salt;
  base::Status status = files.make_folder("streams");
  if (status) status = files.make_folder(folder);
  if (!status) return base::fail(status.error().text);
  auto file = files.create(store::segment_path(stream, number));
  if (!file) return base::fail(file.error().text);
  segment->file = std::move(*file);
  status = segment->file->write_at(0, std::array{std::string_view(header)});
  if (status) status = segment->file->sync();
  for (const std::string& path : {folder, std::string("streams"), std::string()}) {
    if (status) status = files.sync_folder(path);
  }
  if (!status) return base::fail(status.error().text);
  return segment;
}

// What a process has open. A disk may see several after one another.
struct CommitWorld {
  // A new journal is no larger, whatever the setting: a disk in memory keeps book of each sector.
  static constexpr std::uint64_t most_first_bytes = 1U << 20;

  // Fails as Journal::open() does.
  static base::Result<std::unique_ptr<CommitWorld>> open(MemoryDisk& disk,
                                                         store::JournalSettings journal = {},
                                                         store::CommitterSettings commits = {}) {
    auto world = std::make_unique<CommitWorld>();
    world->files = disk.open();
    journal.first_bytes = std::min(journal.first_bytes, most_first_bytes);
    auto opened = store::Journal::open(*world->files, world->helpers, std::move(journal));
    if (!opened) return base::fail(opened.error().text);
    world->journal = std::move(*opened);
    // No clock: time stands still.
    commits.now = [] { return base::Time(); };
    world->committer = std::make_unique<store::RoundCommitter>(*world->journal, world->helpers,
                                                               std::move(commits));
    return world;
  }

  // The write's place in `told`.
  std::size_t submit(const Segment& segment, std::uint64_t offset, std::string text,
                     bool sync = true) {
    const std::size_t index = told.size();
    told.emplace_back();
    committer->submit({.segment = segment,
                       .offset = offset,
                       .bytes = base::make_ref<store::Bytes>(std::move(text)),
                       .sync = sync,
                       .loop = &loop,
                       .done = [this, index](base::Status status) {
                         order.push_back(index);
                         told[index] = std::move(status);
                       }});
    return index;
  }
  // One round, and what it told.
  bool step() {
    const bool any = committer->step();
    loop.run_posted();
    return any;
  }

  // All that helpers have to do.
  void run_helpers() {
    base::Random random(1);
    while (helpers.run_one(random)) {
    }
  }

  std::unique_ptr<store::Files> files;
  DeferredHelpers helpers;
  ManualLoop loop{0};
  std::unique_ptr<store::Journal> journal;
  std::unique_ptr<store::RoundCommitter> committer;
  std::vector<std::optional<base::Status>> told;
  std::vector<std::size_t> order;  // in which they were told
};

}  // namespace spanwire::test
