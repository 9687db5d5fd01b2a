#include "store/journal.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <random>
#include <utility>

#include "base/assert.h"
#include "logging/logging.h"

namespace spanwire::store {

namespace {

// A ring is large enough if it needs one sync of a segment for so many rounds.
constexpr std::uint64_t rounds_a_sync = 8;
constexpr const char* damaged_path = "journal.damaged";

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

}  // namespace

std::uint64_t draw_salt() {
  std::uint64_t salt = 0;
  if (::getrandom(&salt, sizeof salt, 0) == sizeof salt) return salt;
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

Journal::Journal(Files& files, Helpers& helpers, JournalSettings settings)
    : files_(files), helpers_(helpers), settings_(std::move(settings)) {}

Journal::~Journal() = default;

base::Result<std::unique_ptr<Journal>> Journal::open(Files& files, Helpers& helpers,
                                                     JournalSettings settings) {
  settings.max_bytes = std::max(settings.max_bytes, min_bytes);
  settings.first_bytes = std::clamp(settings.first_bytes, min_bytes, settings.max_bytes);
  std::unique_ptr<Journal> journal(new Journal(files, helpers, std::move(settings)));
  if (base::Status opened = journal->take_over(); !opened) return base::fail(opened.error().text);
  return journal;
}

// The ring is started anew only after everything in it is on the disk elsewhere.
base::Status Journal::take_over() {
  const auto names = files_.list("");
  if (!names) return base::fail(names.error().text);
  if (std::binary_search(names->begin(), names->end(), std::string(new_journal_path))) {
    if (base::Status removed = files_.remove(new_journal_path); !removed) return removed;
  }
  if (!std::binary_search(names->begin(), names->end(), std::string(journal_path)))
    return start_anew();
  auto file = files_.open(journal_path);
  if (!file) return base::fail(file.error().text);
  const auto size = (*file)->size();
  if (!size) return base::fail(size.error().text);
  const auto current = read_journal_header(**file);
  if (!current) return base::fail(current.error().text);
  if (!*current) {
    log().error("The store's journal is damaged and is kept as {}: what it alone held is lost",
                damaged_path);
    if (base::Status moved = files_.rename(journal_path, damaged_path); !moved) return moved;
    return start_anew();
  }
  const auto replayed = replay_journal(files_, **file, (*current)->header);
  if (!replayed) return base::fail(replayed.error().text);
  replayed_ = *replayed;
  if (replayed_.blocks > 0) {
    log().info(
        "Replayed {} rounds of the store's journal: {} writes, {} bytes, {} for segments "
        "that are gone",
        replayed_.blocks, replayed_.records, replayed_.bytes, replayed_.skipped);
  }
  const std::uint64_t ring = (*current)->header.ring_bytes;
  if (ring < journal_ring_bytes(min_bytes) || journal_ring_at + ring > *size ||
      *size > settings_.max_bytes) {
    return start_anew();
  }
  file_ = std::move(*file);
  file_->write_past_cache();
  start_ring(ring);
  header_.salt = settings_.salt();
  header_.generation = (*current)->header.generation;
  slot_ = 1 - (*current)->slot;
  if (base::Status written = write_header(); !written) return written;
  if (base::Status synced = file_->sync(); !synced) return synced;
  header_is_durable();
  return {};
}

base::Status Journal::start_anew() {
  const std::uint64_t bytes = file_ ? file_bytes() : settings_.first_bytes;
  const std::atomic<bool> unwanted{false};
  auto file = make_journal_file(files_, bytes, unwanted);
  if (!file) return base::fail(file.error().text);
  return install(std::move(*file), bytes);
}

// Nothing may be left to be replayed.
base::Status Journal::install(std::unique_ptr<File> file, std::uint64_t bytes) {
  const JournalHeader header{.salt = settings_.salt(),
                             .generation = 1,
                             .ring_bytes = journal_ring_bytes(bytes),
                             .start = {}};
  const std::string text = encode_journal_header(header);
  base::Status status = file->write_at(0, std::array{std::string_view(text)});
  if (status) status = file->sync();
  if (status) status = files_.rename(new_journal_path, journal_path);
  if (!status) {
    static_cast<void>(files_.remove(new_journal_path));
    return status;
  }
  status = files_.sync_folder("");
  // Which of the two a power cut would leave is not known.
  if (!status) broken_ = true;
  if (!status) return status;
  // Under its new name, so that errors name it.
  auto named = files_.open(journal_path);
  file_ = named ? std::move(*named) : std::move(file);
  if (named) file_->write_past_cache();
  start_ring(header.ring_bytes);
  header_ = header;
  slot_ = 1;
  header_is_durable();
  return {};
}

void Journal::start_ring(std::uint64_t ring_bytes) {
  parts_.clear();
  set_ring(0, ring_bytes);
  current_ = 0;
  next_ = {};
  header_ = {.ring_bytes = ring_bytes, .start = next_};
  broken_ = false;
}

// The ring has this size now; from `begin` on there are no parts yet. They are as large as a
// quarter of it, the last one up to a half more or less.
void Journal::set_ring(std::uint64_t begin, std::uint64_t ring_bytes) {
  ring_bytes_ = ring_bytes;
  quarter_bytes_ = ring_bytes / quarters / journal_page_bytes * journal_page_bytes;
  while (begin < ring_bytes) {
    Part part;
    part.begin = begin;
    const bool is_last = ring_bytes - begin < quarter_bytes_ + quarter_bytes_ / 2;
    part.end = is_last ? ring_bytes : begin + quarter_bytes_;
    std::uint32_t used = 0;
    for (const Part& other : parts_) used |= other.bit;
    part.bit = ~used & (used + 1);
    begin = part.end;
    parts_.push_back(std::move(part));
  }
}

std::size_t Journal::capacity() const {
  return std::min<std::uint64_t>(quarter_bytes_, max_block_bytes) - block_header_bytes;
}

void Journal::add(const base::Ref<SegmentFile>& segment, std::uint64_t offset,
                  const std::vector<std::string_view>& parts) {
  block_.add({.stream = segment->stream,
              .segment = segment->number,
              .salt = segment->salt,
              .offset = offset,
              .bytes = {}},
             parts);
  added_.push_back(segment);
}

void Journal::drop() {
  block_.clear();
  added_.clear();
}

base::Status Journal::commit() {
  BASE_ASSERT(!broken_);
  if (block_.empty()) return {};
  BASE_ASSERT(block_.size() <= capacity() + block_header_bytes);
  base::Status status = grow();
  if (status) status = commit_block();
  if (!status) broken_ = true;
  drop();
  return status;
}

base::Status Journal::commit_block() {
  const std::size_t size = block_.size();
  if (base::Status room = make_room(whole_pages(size)); !room) return room;
  if (header_due_) {
    if (base::Status written = write_header(); !written) return written;
  }
  const std::string_view bytes = block_.finish(header_.salt, next_);
  const std::uint64_t offset = journal_ring_at + next_.position;
  base::Status status = file_->write_at(offset, std::array{bytes});
  if (status && growth_) status = growth_->write_block(offset, bytes);
  if (status) status = sync_file();
  if (!status) return status;
  header_is_durable();
  cover(next_);
  next_ = {.position = next_.position + bytes.size(), .number = next_.number + 1};
  counters_.bytes.add(size);
  return {};
}

// Durable with the next sync, and valid beside the other one whether it gets there or not.
base::Status Journal::write_header() {
  ++header_.generation;
  const std::string text = encode_journal_header(header_);
  base::Status written =
      file_->write_at(slot_ * journal_page_bytes, std::array{std::string_view(text)});
  if (written && growth_) written = growth_->write_header(header_, slot_);
  if (written) slot_ = 1 - slot_;
  return written;
}

base::Status Journal::sync_file() {
  base::Status synced = file_->sync();
  if (synced && growth_) synced = growth_->sync();
  return synced;
}

void Journal::header_is_durable() {
  header_due_ = false;
  for (Part& part : parts_) {
    if (part.use == Use::released) part.use = Use::free;
  }
}

void Journal::cover(const RingPlace& place) {
  Part& part = parts_[current_];
  ++part.blocks;
  if (part.first.number == 0) part.first = place;
  for (base::Ref<SegmentFile>& segment : added_) {
    if ((segment->commit.parts & part.bit) != 0) continue;
    segment->commit.parts |= part.bit;
    part.covered.push_back(std::move(segment));
  }
}

std::size_t Journal::part_of(std::uint64_t position) const {
  std::size_t index = 0;
  while (position >= parts_[index].end) ++index;
  return index;
}

std::size_t Journal::behind(std::size_t index) const {
  return (index + 1) % parts_.size();
}

// Makes next_ a place where so many bytes may be written.
base::Status Journal::make_room(std::size_t bytes) {
  if (ring_bytes_ - next_.position < bytes) {
    merge_parts();
    next_.position = 0;
  }
  const std::size_t begin = part_of(next_.position);
  const std::size_t last = part_of(next_.position + bytes - 1);
  for (; current_ != begin; current_ = behind(current_)) {
    leave(current_);
    grow_if_small(parts_[current_]);
  }
  release_finished();
  bool header_first = false;
  for (std::size_t index = begin; index <= last; ++index) {
    if (parts_[index].use == Use::syncing) {
      counters_.waits.add();
      begin_growth(2);
      if (base::Status released = release(index); !released) return released;
    }
    header_first = header_first || parts_[index].use == Use::released;
  }
  if (header_first) {
    base::Status status = write_header();
    if (status) status = sync_file();
    if (!status) return status;
    header_is_durable();
  }
  for (std::size_t index = begin; index <= last; ++index) parts_[index].use = Use::filling;
  return {};
}

// Those of a ring that has grown since are small: free ones become one again, up to a quarter.
void Journal::merge_parts() {
  for (std::size_t i = 0; i + 1 < parts_.size();) {
    const Part& next = parts_[i + 1];
    const bool are_small = next.end - parts_[i].begin <= quarter_bytes_ + journal_page_bytes;
    if (parts_[i].use != Use::free || next.use != Use::free || !are_small) {
      ++i;
      continue;
    }
    parts_[i].end = next.end;
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    if (current_ > i) --current_;
  }
}

// The writer goes on behind this part: its segments are synced meanwhile.
void Journal::leave(std::size_t index) {
  Part& part = parts_[index];
  if (part.use != Use::filling) return;
  part.use = Use::syncing;
  part.syncs.clear();
  for (base::Ref<SegmentFile>& segment : part.covered) {
    // Without its bit it was synced since, or stands here twice.
    if ((segment->commit.parts & part.bit) == 0) continue;
    segment->commit.parts &= ~part.bit;
    part.syncs.push_back({.segment = std::move(segment), .status = {}});
  }
  part.covered.clear();
  std::vector<base::Task> tasks;
  for (Sync& sync : part.syncs) {
    tasks.emplace_back([&sync] { sync.status = sync.segment->file->sync(); });
  }
  counters_.segment_syncs.add(tasks.size());
  if (!tasks.empty()) part.batch = helpers_.start(std::move(tasks));
}

// In their order, so that what is left to be replayed is one row of blocks.
void Journal::release_finished() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::size_t index = (current_ + i) % parts_.size();
    const Part& part = parts_[index];
    if (part.use != Use::syncing) continue;
    if (part.batch && !part.batch->done()) return;
    // An error is met again when the room is needed.
    if (!release(index)) return;
  }
}

// Waits until nothing in this part has to be replayed any more.
base::Status Journal::release(std::size_t index) {
  Part& part = parts_[index];
  if (part.batch) part.batch->wait();
  part.batch = nullptr;
  for (Sync& sync : part.syncs) {
    if (sync.status) continue;
    if (sync.segment->commit.failure.empty()) {
      sync.segment->commit.failure = sync.status.error().text;
    }
    if (base::Status repaired = repair(*sync.segment); !repaired) return repaired;
    sync.status = {};
  }
  part.syncs.clear();
  part.first = {.position = 0, .number = 0};
  part.blocks = 0;
  part.use = Use::released;
  header_.start = start_behind(index);
  header_due_ = true;
  return {};
}

// The system has given up what it should have written to the segment, so it is written again, from
// the ring, through a descriptor of its own.
base::Status Journal::repair(const SegmentFile& segment) {
  const auto repaired = replay_journal(
      files_, *file_, header_, SegmentName{.stream = segment.stream, .number = segment.number});
  if (repaired) return {};
  if (!std::exchange(told_, true)) {
    log().error("Segment {} of stream {} cannot be synced, so the store takes nothing more: {}",
                segment.number, segment.stream, repaired.error().text);
  }
  return base::fail(repaired.error().text);
}

RingPlace Journal::start_behind(std::size_t index) const {
  for (std::size_t i = 1; i < parts_.size(); ++i) {
    const Part& part = parts_[(index + i) % parts_.size()];
    if (part.first.number != 0) return part.first;
  }
  return next_;
}

base::Status Journal::release_all() {
  for (std::size_t i = 1; i <= parts_.size(); ++i) leave((current_ + i) % parts_.size());
  for (std::size_t i = 1; i <= parts_.size(); ++i) {
    const std::size_t index = (current_ + i) % parts_.size();
    if (parts_[index].use != Use::syncing) continue;
    if (base::Status released = release(index); !released) return released;
  }
  return {};
}

base::Status Journal::settle() {
  if (broken_) return mend();
  base::Status status = release_all();
  if (status && header_due_) status = write_header();
  if (status) status = sync_file();
  if (status) header_is_durable();
  if (!status) broken_ = true;
  return status;
}

base::Status Journal::mend() {
  growth_ = nullptr;  // it has its file under the same name
  base::Status status = release_all();
  if (status) status = start_anew();
  return status;
}

// Many syncs for few rounds: at once as large as that asks for, as what the ring still has free
// must last until it has grown.
void Journal::grow_if_small(const Part& part) {
  const std::uint64_t blocks = part.blocks * quarter_bytes_ / (part.end - part.begin);
  const std::uint64_t wanted = part.syncs.size() * rounds_a_sync;
  if (blocks == 0 || wanted <= blocks) return;
  begin_growth(std::bit_ceil((wanted + blocks - 1) / blocks));
}

void Journal::begin_growth(std::uint64_t times) {
  const std::uint64_t most = settings_.max_bytes / file_bytes() + 1;
  const std::uint64_t bytes = std::min(std::min(times, most) * file_bytes(), settings_.max_bytes);
  const bool has_bits = parts_.size() + quarters <= most_parts;
  if (growth_ || !has_bits || journal_ring_bytes(bytes) <= ring_bytes_) return;
  growth_ = std::make_unique<JournalGrowth>(files_, helpers_, bytes, settings_.slice_bytes);
}

base::Status Journal::grow() {
  if (!growth_) return {};
  if (base::Status status = growth_->go_on(*file_, header_, slot_); !status) return status;
  if (growth_->stage() == JournalGrowth::Stage::failed) growth_ = nullptr;
  if (!growth_ || growth_->stage() != JournalGrowth::Stage::done) return {};
  file_ = growth_->take_file();
  header_.ring_bytes = growth_->ring_bytes();
  set_ring(ring_bytes_, growth_->ring_bytes());
  growth_ = nullptr;
  counters_.growths.add();
  return {};
}

}  // namespace spanwire::store
