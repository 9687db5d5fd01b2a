// Power cuts against the commit journal alone: whatever a device may do with what was not synced,
// everything whose Done was called with success is in its segment after the replay.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/commit_world.h"
#include "tests/support/seeds.h"

using namespace spanwire;
using test::CommitWorld;
using test::MemoryDisk;
using test::Segment;

namespace {

struct Written {
  std::uint64_t offset = 0;
  std::string text;
  std::size_t index = 0;  // in CommitWorld::told
  bool sync = true;
};

// A log, as far as the journal knows one: it appends to one segment after another.
struct Log {
  std::uint64_t stream = 0;
  std::uint64_t number = 0;  // of its segment; the next has one more
  bool without_sync = false;
  Segment segment;
  std::uint64_t end = 0;         // where the next write goes
  std::uint64_t promised = 0;    // up to here it must be there
  std::vector<Written> waiting;  // told nothing yet
  std::vector<Written> unsynced;
  std::map<std::uint64_t, std::string> kept;  // segment: what must be there behind its header
};

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed) {
    for (std::uint64_t stream = 1; stream <= 1 + random_.below(6); ++stream) {
      logs_.push_back({.stream = stream, .without_sync = random_.below(5) == 0});
    }
    settings_ = {.first_bytes = (64U + random_.below(3) * 32U) << 10,
                 .max_bytes = (64U + random_.below(6) * 64U) << 10,
                 .slice_bytes = (1U + random_.below(16)) * store::journal_page_bytes,
                 .salt = [this] { return random_.next(); }};
    commits_ = {.journalled_bytes = 512U << random_.below(6)};
  }

  // One life of a process, ended by a power cut, and the check of what is left.
  void live() {
    world_ = open_at_last();
    for (Log& log : logs_) go_on(log);
    if (random_.below(3) != 0) disk_.cut_at(disk_.changes() + 1 + random_.below(400));
    if (random_.below(3) == 0) fail_sometimes();
    for (int i = 0; i < 60 && !disk_.is_off(); ++i) turn();
    if (random_.below(4) == 0 && !disk_.is_off()) static_cast<void>(world_->journal->settle());
    growths_ += world_->journal->counters().growths.get();
    world_.reset();
    for (Log& log : logs_) {
      log.segment = {};
      log.waiting.clear();
      log.unsynced.clear();
    }
    disk_.cut_power(random_);
    world_ = open_at_last();
    check();
    world_.reset();
  }

  // How often a ring got a larger file.
  std::uint64_t growths() const { return growths_; }

 private:
  // Opens the journal, which is interrupted some times.
  std::unique_ptr<CommitWorld> open_at_last() {
    for (std::uint32_t tries = random_.below(4); tries > 0; --tries) {
      disk_.cut_at(disk_.changes() + 1 + random_.below(12));
      const bool opened = CommitWorld::open(disk_, settings_, commits_).has_value();
      REQUIRE(opened != disk_.is_off());
      disk_.cut_power(random_);
    }
    if (random_.below(4) == 0) settings_.max_bytes = (64U + random_.below(6) * 64U) << 10;
    auto world = CommitWorld::open(disk_, settings_, commits_);
    REQUIRE(world);
    return std::move(*world);
  }

  void fail_sometimes() {
    const std::uint32_t often = 20 + random_.below(200);
    disk_.decide([this, often](test::Call call, std::string_view) {
      if (call == test::Call::read) return test::Outcome::fine;
      return random_.below(often) == 0 ? test::Outcome::fails : test::Outcome::fine;
    });
  }

  // After a start a log goes on behind what must be there, in its segment or in a new one.
  void go_on(Log& log) {
    const std::string path = store::segment_path(log.stream, log.number);
    if (log.number != 0 && random_.below(2) == 0) {
      auto file = world_->files->open(path);
      REQUIRE(file);
      REQUIRE((*file)->truncate(log.promised));
      REQUIRE((*file)->sync());
      std::array<char, store::segment_header_bytes> bytes{};
      REQUIRE((*file)->read_at(0, bytes));
      const auto header = store::decode_segment_header({bytes.data(), bytes.size()});
      REQUIRE(header);
      log.segment = base::make_ref<store::SegmentFile>();
      log.segment->stream = log.stream;
      log.segment->number = log.number;
      log.segment->salt = header->salt;
      log.segment->file = std::move(*file);
      log.end = log.promised;
    } else {
      next_segment(log);
    }
  }

  bool next_segment(Log& log) {
    if (log.number != 0 && random_.below(8) == 0) {
      REQUIRE_FALSE(log.kept.empty());
      const std::uint64_t oldest = log.kept.begin()->first;
      if (oldest != log.number) {
        // Gone, or not: nobody asks for it any more.
        static_cast<void>(world_->files->remove(store::segment_path(log.stream, oldest)));
        log.kept.erase(oldest);
      }
    }
    // A name that an earlier try may have left is not used again.
    auto made = test::make_segment(*world_->files, log.stream, ++last_number_, random_.next());
    if (!made) return false;
    log.segment = *made;
    log.number = last_number_;
    log.end = log.promised = store::segment_header_bytes;
    log.kept[log.number].clear();
    log.waiting.clear();
    log.unsynced.clear();
    return true;
  }

  void turn() {
    for (std::uint32_t writes = random_.below(8); writes > 0; --writes) {
      write(logs_[random_.below(static_cast<std::uint32_t>(logs_.size()))]);
    }
    for (std::uint32_t tasks = random_.below(4); tasks > 0; --tasks) {
      world_->helpers.run_one(random_);
    }
    if (random_.below(4) == 0) return;
    world_->step();
    hear();
  }

  void write(Log& log) {
    if (!log.segment && !next_segment(log)) return;
    const std::uint32_t large = random_.below(10) == 0 ? 40'000 : 1'500;
    std::string text(random_.below(large), '\0');
    for (char& byte : text) byte = static_cast<char>(random_.next());
    const bool sync = !log.without_sync || random_.below(6) == 0;
    if (sync && random_.below(8) == 0) text.clear();
    const std::size_t index = world_->submit(log.segment, log.end, text, sync);
    log.waiting.push_back({.offset = log.end, .text = text, .index = index, .sync = sync});
    log.end += text.size();
  }

  void hear() {
    for (std::size_t i = 1; i < world_->order.size(); ++i) {
      REQUIRE(world_->order[i - 1] < world_->order[i]);
    }
    for (Log& log : logs_) hear(log);
  }

  void hear(Log& log) {
    bool refused = false;
    while (!log.waiting.empty() && world_->told[log.waiting.front().index]) {
      const bool done = world_->told[log.waiting.front().index]->has_value();
      REQUIRE_FALSE((refused && done));  // nothing behind a refused write
      refused = refused || !done;
      Written written = std::move(log.waiting.front());
      log.waiting.erase(log.waiting.begin());
      if (refused) continue;
      const bool sync = written.sync;
      log.unsynced.push_back(std::move(written));
      if (!sync) continue;
      for (Written& each : log.unsynced) {
        log.kept[log.number] += each.text;
        log.promised += each.text.size();
      }
      log.unsynced.clear();
    }
    // What is still waiting there is refused too; the log goes on elsewhere.
    if (refused) log.segment = {};
  }

  void check() {
    for (const Log& log : logs_) {
      for (const auto& [number, text] : log.kept) {
        const std::string path = store::segment_path(log.stream, number);
        CAPTURE(path);
        REQUIRE(disk_.has(path));
        const std::string content = disk_.content(path);
        REQUIRE(content.size() >= store::segment_header_bytes + text.size());
        const bool same = content.compare(store::segment_header_bytes, text.size(), text) == 0;
        REQUIRE(same);
      }
    }
  }

  base::Random random_;
  MemoryDisk disk_;
  store::JournalSettings settings_;
  store::CommitterSettings commits_;
  std::vector<Log> logs_;
  std::uint64_t last_number_ = 0;
  std::uint64_t growths_ = 0;
  std::unique_ptr<CommitWorld> world_;
};

}  // namespace

TEST_CASE("journal: what was acknowledged outlives every power cut, and replays cut short") {
  const test::SeedRange seeds = test::seed_range(200);
  std::uint64_t growths = 0;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int life = 0; life < 3; ++life) walk.live();
    growths += walk.growths();
  }
  MESSAGE("rings that grew: ", growths);
  CHECK(growths >= (seeds.last - seeds.first) / 10);
}
