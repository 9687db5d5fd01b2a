#include "store/journal.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <random>
#include <utility>

#include "base/assert.h"
#include "logging/logging.h"

namespace spanwire::store {

namespace {

constexpr const char* new_path = "journal.new";
constexpr const char* damaged_path = "journal.damaged";

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

std::uint64_t ring_bytes_of(std::uint64_t file_bytes) {
  return (file_bytes - journal_ring_at) / journal_page_bytes * journal_page_bytes;
}

// A file of zeros under new_path, written through: later syncs of it touch no metadata.
base::Result<std::unique_ptr<File>> make_file(Files& files, std::uint64_t bytes) {
  alignas(direct_page_bytes) static constexpr std::array<char, 64 * 1024> zeros{};
  constexpr std::size_t parts_a_call = 16;
  if (base::Status removed = files.remove(new_path); !removed)
    return base::fail(removed.error().text);
  auto file = files.create(new_path);
  if (!file) return file;
  (*file)->write_past_cache();
  base::Status status;
  std::vector<std::string_view> parts;
  for (std::uint64_t at = 0; at < bytes && status;) {
    const std::uint64_t begin = at;
    for (parts.clear(); at < bytes && parts.size() < parts_a_call; at += parts.back().size()) {
      parts.emplace_back(zeros.data(), std::min<std::uint64_t>(zeros.size(), bytes - at));
    }
    status = (*file)->write_at(begin, parts);
  }
  if (status) status = (*file)->sync();
  if (status) return file;
  static_cast<void>(files.remove(new_path));
  return base::fail(status.error().text);
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
  if (!std::binary_search(names->begin(), names->end(), std::string(path))) return start_anew();
  auto file = files_.open(path);
  if (!file) return base::fail(file.error().text);
  const auto size = (*file)->size();
  if (!size) return base::fail(size.error().text);
  const auto current = read_journal_header(**file);
  if (!current) return base::fail(current.error().text);
  if (!*current) {
    log().error("The store's journal is damaged and is kept as {}: what it alone held is lost",
                damaged_path);
    if (base::Status moved = files_.rename(path, damaged_path); !moved) return moved;
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
  if (ring < ring_bytes_of(min_bytes) || journal_ring_at + ring > *size ||
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
  auto file = make_file(files_, bytes);
  if (!file) return base::fail(file.error().text);
  return install(std::move(*file), bytes);
}

// Nothing may be left to be replayed.
base::Status Journal::install(std::unique_ptr<File> file, std::uint64_t bytes) {
  const JournalHeader header{
      .salt = settings_.salt(), .generation = 1, .ring_bytes = ring_bytes_of(bytes), .start = {}};
  const std::string text = encode_journal_header(header);
  base::Status status = file->write_at(0, std::array{std::string_view(text)});
  if (status) status = file->sync();
  if (status) status = files_.rename(new_path, path);
  if (!status) {
    static_cast<void>(files_.remove(new_path));
    return status;
  }
  status = files_.sync_folder("");
  // Which of the two a power cut would leave is not known.
  if (!status) broken_ = true;
  if (!status) return status;
  // Under its new name, so that errors name it.
  auto named = files_.open(path);
  file_ = named ? std::move(*named) : std::move(file);
  if (named) file_->write_past_cache();
  start_ring(header.ring_bytes);
  header_ = header;
  slot_ = 1;
  header_is_durable();
  return {};
}

void Journal::start_ring(std::uint64_t ring_bytes) {
  ring_bytes_ = ring_bytes;
  part_bytes_ = ring_bytes / parts_count / journal_page_bytes * journal_page_bytes;
  parts_ = {};
  current_ = 0;
  next_ = {};
  header_ = {.ring_bytes = ring_bytes, .start = next_};
  lap_blocks_ = 0;
  lap_syncs_ = 0;
  lap_waited_ = false;
  broken_ = false;
}

std::size_t Journal::capacity() const {
  return std::min<std::uint64_t>(part_bytes_, max_block_bytes) - block_header_bytes;
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
  base::Status status = grow_if_ready();
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
  base::Status status = file_->write_at(journal_ring_at + next_.position, std::array{bytes});
  if (status) status = file_->sync();
  if (!status) return status;
  header_is_durable();
  cover(next_);
  next_ = {.position = next_.position + bytes.size(), .number = next_.number + 1};
  counters_.bytes.add(size);
  ++lap_blocks_;
  return {};
}

// Durable with the next sync, and valid beside the other one whether it gets there or not.
base::Status Journal::write_header() {
  ++header_.generation;
  const std::string text = encode_journal_header(header_);
  base::Status written =
      file_->write_at(slot_ * journal_page_bytes, std::array{std::string_view(text)});
  if (written) slot_ = 1 - slot_;
  return written;
}

void Journal::header_is_durable() {
  header_due_ = false;
  for (Part& part : parts_) {
    if (part.use == Use::released) part.use = Use::free;
  }
}

void Journal::cover(const RingPlace& place) {
  Part& part = parts_[current_];
  const std::uint32_t bit = 1U << current_;
  if (part.first.number == 0) part.first = place;
  for (base::Ref<SegmentFile>& segment : added_) {
    if ((segment->commit.parts & bit) != 0) continue;
    segment->commit.parts |= bit;
    part.covered.push_back(std::move(segment));
  }
}

std::size_t Journal::part_of(std::uint64_t position) const {
  return std::min<std::uint64_t>(position / part_bytes_, parts_count - 1);
}

// Makes next_ a place where so many bytes may be written.
base::Status Journal::make_room(std::size_t bytes) {
  if (ring_bytes_ - next_.position < bytes) {
    lap_ended();
    next_.position = 0;
  }
  const std::size_t begin = part_of(next_.position);
  const std::size_t last = part_of(next_.position + bytes - 1);
  for (; current_ != begin; current_ = (current_ + 1) % parts_count) leave(current_);
  release_finished();
  bool header_first = false;
  for (std::size_t index = begin; index <= last; ++index) {
    if (parts_[index].use == Use::syncing) {
      lap_waited_ = true;
      counters_.waits.add();
      if (base::Status released = release(index); !released) return released;
    }
    header_first = header_first || parts_[index].use == Use::released;
  }
  if (header_first) {
    base::Status status = write_header();
    if (status) status = file_->sync();
    if (!status) return status;
    header_is_durable();
  }
  for (std::size_t index = begin; index <= last; ++index) parts_[index].use = Use::filling;
  return {};
}

// The writer goes on behind this part: its segments are synced meanwhile.
void Journal::leave(std::size_t index) {
  Part& part = parts_[index];
  if (part.use != Use::filling) return;
  const std::uint32_t bit = 1U << index;
  part.use = Use::syncing;
  part.syncs.clear();
  for (base::Ref<SegmentFile>& segment : part.covered) {
    // Without its bit it was synced since, or stands here twice.
    if ((segment->commit.parts & bit) == 0) continue;
    segment->commit.parts &= ~bit;
    part.syncs.push_back({.segment = std::move(segment), .status = {}});
  }
  part.covered.clear();
  std::vector<base::Task> tasks;
  for (Sync& sync : part.syncs) {
    tasks.emplace_back([&sync] { sync.status = sync.segment->file->sync(); });
  }
  lap_syncs_ += tasks.size();
  counters_.segment_syncs.add(tasks.size());
  if (!tasks.empty()) part.batch = helpers_.start(std::move(tasks));
}

// In their order, so that what is left to be replayed is one row of blocks.
void Journal::release_finished() {
  for (std::size_t i = 0; i < parts_count; ++i) {
    const std::size_t index = (current_ + i) % parts_count;
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
  for (std::size_t i = 1; i < parts_count; ++i) {
    const Part& part = parts_[(index + i) % parts_count];
    if (part.first.number != 0) return part.first;
  }
  return next_;
}

base::Status Journal::release_all() {
  for (std::size_t i = 1; i <= parts_count; ++i) leave((current_ + i) % parts_count);
  for (std::size_t i = 1; i <= parts_count; ++i) {
    const std::size_t index = (current_ + i) % parts_count;
    if (parts_[index].use != Use::syncing) continue;
    if (base::Status released = release(index); !released) return released;
  }
  return {};
}

base::Status Journal::settle() {
  if (broken_) return mend();
  base::Status status = release_all();
  if (status && header_due_) status = write_header();
  if (status) status = file_->sync();
  if (status) header_is_durable();
  if (!status) broken_ = true;
  return status;
}

base::Status Journal::mend() {
  growth_ = nullptr;  // it would make its file under the same name
  base::Status status = release_all();
  if (status) status = start_anew();
  return status;
}

// Many syncs for few rounds, or rounds that wait: more room would spare both.
void Journal::lap_ended() {
  const bool too_small = lap_waited_ || lap_syncs_ * 8 > lap_blocks_;
  lap_blocks_ = 0;
  lap_syncs_ = 0;
  lap_waited_ = false;
  const std::uint64_t bytes = std::min(2 * file_bytes(), settings_.max_bytes);
  if (!too_small || growth_ || ring_bytes_of(bytes) <= ring_bytes_) return;
  growth_ = std::make_unique<Growth>();
  growth_->bytes = bytes;
  std::vector<base::Task> tasks;
  tasks.emplace_back([this, &growth = *growth_] { growth.made = make_file(files_, growth.bytes); });
  growth_->batch = helpers_.start(std::move(tasks));
}

base::Status Journal::grow_if_ready() {
  if (!growth_ || !growth_->batch->done()) return {};
  const std::unique_ptr<Growth> growth = std::move(growth_);
  // No room on the disk: the ring does its work as it is.
  if (!growth->made) return {};
  if (base::Status released = release_all(); !released) return released;
  base::Status installed = install(std::move(*growth->made), growth->bytes);
  if (!installed && broken_) return installed;
  if (installed) counters_.growths.add();
  return {};
}

}  // namespace spanwire::store
