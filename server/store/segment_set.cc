#include "store/segment_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"
#include "logging/logging.h"
#include "store/segment_header.h"
#include "store/sidecar.h"

namespace spanwire::store {

namespace {

// A full disk is asked again after so long.
constexpr base::Duration retry_after = std::chrono::seconds(1);

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

}  // namespace

std::string stream_folder(std::uint64_t stream) {
  return fmt::format("streams/{}", stream);
}

base::Result<base::Ref<SegmentFile>> begin_segment(Files& files, std::uint64_t stream,
                                                   std::uint64_t number, std::uint64_t salt,
                                                   std::uint64_t reserved_bytes) {
  const std::string path = segment_path(stream, number);
  // An attempt before this one may have ended half-way.
  base::Status status = files.remove(path);
  if (!status) return tl::unexpected(status.error());
  auto file = files.create(path);
  if (!file) return tl::unexpected(file.error());
  const std::string header =
      encode_segment_header({.stream = stream, .number = number, .salt = salt});
  const std::string_view parts[] = {header};
  status = (*file)->reserve(reserved_bytes);
  if (status) status = (*file)->write_at(0, parts);
  if (!status) return tl::unexpected(status.error());
  auto segment = base::make_ref<SegmentFile>();
  segment->stream = stream;
  segment->number = number;
  segment->salt = salt;
  segment->file = std::move(*file);
  return segment;
}

base::Result<base::Ref<SegmentFile>> make_segment(Files& files, std::uint64_t stream,
                                                  std::uint64_t number, std::uint64_t salt,
                                                  std::uint64_t reserved_bytes) {
  auto segment = begin_segment(files, stream, number, salt, reserved_bytes);
  if (!segment) return segment;
  base::Status status = (*segment)->file->sync();
  if (status) status = files.sync_folder(stream_folder(stream));
  if (!status) return tl::unexpected(status.error());
  return segment;
}

void SegmentSet::add(LogSegment segment) {
  BASE_ASSERT(segments_.empty() || segments_.back().number() < segment.number());
  last_number_ = std::max(last_number_, segment.number());
  segments_.push_back(std::move(segment));
}

void SegmentSet::set_next(base::Ref<SegmentFile> segment) {
  last_number_ = std::max(last_number_, segment->number);
  next_ = std::move(segment);
  next_reserved_ = services_.settings.segment_first_bytes;
}

LogSegment* SegmentSet::find(std::uint64_t number) {
  const auto found = std::lower_bound(
      segments_.begin(), segments_.end(), number,
      [](const LogSegment& segment, std::uint64_t wanted) { return segment.number() < wanted; });
  return found != segments_.end() && found->number() == number ? &*found : nullptr;
}

void SegmentSet::look_ahead(bool next_is_near) {
  if (retry_at_ != base::Time{} && loop_.now() < retry_at_) return;
  if (next_is_near && !next_ && !making_) make_next();
  if (!dropped_.empty() && !removing_) remove_dropped();
  const LogSegment& segment = open();
  const std::uint64_t most = std::max(services_.settings.segment_bytes, segment.reserved);
  if (segment.end > segment.reserved / 2 && segment.reserved < most && !growing_) grow();
}

void SegmentSet::make_next() {
  struct Made {
    base::Result<base::Ref<SegmentFile>> segment;
  };
  auto made = std::make_shared<Made>();
  const std::uint64_t number = last_number_ + 1;
  // As large as the open one has become: a busy stream does not begin small again.
  const std::uint64_t reserved = std::clamp(open().reserved, services_.settings.segment_first_bytes,
                                            services_.settings.segment_bytes);
  auto work = [made, jobs = jobs_, &files = services_.files, stream = stream_, number,
               salt = random_.next(), reserved] {
    if (!jobs->cancelled) made->segment = make_segment(files, stream, number, salt, reserved);
  };
  auto done = lifeline_.bind([this, made, number, reserved] {
    making_ = false;
    if (!made->segment) {
      log().warn("no new segment can be made: {}", made->segment.error().text);
      retry_at_ = loop_.now() + retry_after;
      return;
    }
    retry_at_ = {};
    last_number_ = number;
    next_ = std::move(*made->segment);
    next_reserved_ = reserved;
  });
  making_ = services_.workers.run(std::move(work), loop_, std::move(done));
}

void SegmentSet::grow() {
  struct Grown {
    base::Status status;
  };
  auto grown = std::make_shared<Grown>();
  const std::uint64_t reserved =
      std::min(std::max(2 * open().reserved, services_.settings.segment_first_bytes),
               services_.settings.segment_bytes);
  auto work = [grown, jobs = jobs_, file = open().file, reserved] {
    if (!jobs->cancelled) grown->status = file->file->reserve(reserved);
  };
  auto done = lifeline_.bind([this, grown, number = open().number(), reserved] {
    growing_ = false;
    if (!grown->status) {
      log().warn("no more room can be reserved: {}", grown->status.error().text);
      retry_at_ = loop_.now() + retry_after;
      return;
    }
    retry_at_ = {};
    if (LogSegment* segment = find(number)) {
      segment->reserved = std::max(segment->reserved, reserved);
    }
  });
  growing_ = services_.workers.run(std::move(work), loop_, std::move(done));
}

LogSegment& SegmentSet::advance() {
  BASE_ASSERT(next_is_ready());
  const std::uint64_t number = next_->number;
  add({.file = std::move(next_),
       .stands_for = number,
       .end = segment_header_bytes,
       .readable = segment_header_bytes,
       .reserved = next_reserved_});
  next_ = nullptr;
  return open();
}

// Should this not come to pass, more room is taken than is needed until the next start.
void SegmentSet::seal(LogSegment& segment) {
  auto work = [jobs = jobs_, file = segment.file, end = segment.end] {
    if (jobs->cancelled) return;
    base::Status cut = file->file->truncate(end);
    if (cut) cut = file->file->sync();
    if (!cut) log().warn("a segment cannot be cut: {}", cut.error().text);
  };
  if (services_.workers.run(std::move(work), loop_, [] {})) segment.reserved = segment.end;
}

std::vector<base::Ref<SegmentFile>> SegmentSet::drop_dead() {
  std::vector<base::Ref<SegmentFile>> dropped;
  for (std::size_t i = 0; i + 1 < segments_.size();) {
    // Its notes hold until those that repeat them are committed.
    const bool repeated = segments_[i + 1].readable > segment_header_bytes;
    const bool needed = segments_[i].compacting || !segments_[i].ends_in.empty();
    if (segments_[i].dead && !needed && repeated) {
      dropped.push_back(segments_[i].file);
      drop(segments_[i].number());
    } else {
      ++i;
    }
  }
  return dropped;
}

std::vector<base::Ref<SegmentFile>> SegmentSet::replace(std::uint64_t first, LogSegment fresh) {
  const std::uint64_t number = fresh.number();
  std::vector<base::Ref<SegmentFile>> old;
  const auto is_old = [&](std::uint64_t other) { return other >= first && other <= number; };
  for (LogSegment& segment : segments_) {
    if (is_old(segment.number())) {
      old.push_back(segment.file);
      if (segment.first != 0) fresh.saw(segment.first);
      if (segment.last != 0) fresh.saw(segment.last);
      fresh.ends_in.insert(segment.ends_in.begin(), segment.ends_in.end());
      if (segment.number() != number) dropped_.push_back(segment.number());
    } else if (absl::erase_if(segment.ends_in, is_old) != 0) {
      segment.ends_in.insert(number);
    }
  }
  absl::erase_if(fresh.ends_in, is_old);
  if (fresh.erases_bytes == 0) fresh.ends_in.clear();
  LogSegment* place = find(number);
  *place = std::move(fresh);
  std::erase_if(segments_, [&](const LogSegment& segment) {
    return is_old(segment.number()) && segment.number() != number;
  });
  return old;
}

void SegmentSet::drop(std::uint64_t number) {
  LogSegment* segment = find(number);
  BASE_ASSERT(segment != nullptr && segment != &segments_.back());
  segments_.erase(segments_.begin() + (segment - segments_.data()));
  dropped_.push_back(number);
}

void SegmentSet::remove_dropped() {
  struct Removed {
    base::Status status;
  };
  auto removed = std::make_shared<Removed>();
  auto work = [removed, jobs = jobs_, &files = services_.files, stream = stream_,
               numbers = dropped_] {
    if (jobs->cancelled) return;
    for (const std::uint64_t number : numbers) {
      removed->status = files.remove(segment_path(stream, number));
      if (removed->status) removed->status = files.remove(sidecar_path(stream, number));
      if (!removed->status) return;
    }
    removed->status = files.sync_folder(stream_folder(stream));
  };
  auto done = lifeline_.bind([this, removed, numbers = dropped_] {
    removing_ = false;
    if (!removed->status) {
      log().warn("a segment cannot be removed: {}", removed->status.error().text);
      retry_at_ = loop_.now() + retry_after;
      return;
    }
    retry_at_ = {};
    for (const std::uint64_t number : numbers) {
      std::erase(dropped_, number);
      for (LogSegment& segment : segments_) segment.ends_in.erase(number);
    }
  });
  removing_ = services_.workers.run(std::move(work), loop_, std::move(done));
}

std::uint64_t SegmentSet::disk_bytes() const {
  std::uint64_t bytes = next_ ? next_reserved_ : 0;
  for (const LogSegment& segment : segments_) bytes += std::max(segment.end, segment.reserved);
  return bytes;
}

}  // namespace spanwire::store
