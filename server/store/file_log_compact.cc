// Giving space back, for file_log.h: segments of which half is dead are written anew on a worker,
// together with small neighbours, and take their place here.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "logging/logging.h"
#include "store/compaction.h"
#include "store/file_log.h"
#include "store/segment_header.h"

namespace spanwire::store {

namespace {

// After a commit, how long until it is looked whether something can be given back.
constexpr base::Duration look_after = std::chrono::milliseconds(250);
// Less is not worth a file's writing; of small segments less counts.
constexpr std::uint64_t least_gain = 4096;

const logging::Logger& log() {
  static const logging::Logger logger = logging::get("store");
  return logger;
}

}  // namespace

// A segment as compaction sees it.
struct FileLog::Sealed {
  LogSegment* segment = nullptr;
  const IndexSegment* index = nullptr;  // null: none of its messages is left
  std::uint64_t live_bytes() const { return index == nullptr ? 0 : index->live_bytes(); }
  std::size_t messages() const { return index == nullptr ? 0 : index->live(); }
};

struct FileLog::CompactionRun {
  CompactionJob job;
  std::uint64_t first = 0;  // numbers of the sources
  std::uint64_t last = 0;
  // By segment outside: those of the sources in which it ended messages by the time this began.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ends_in;
  base::Result<Compacted> result;
};

void FileLog::look_for_dead_soon() {
  if (looking_) return;
  looking_ = true;
  loop_.start_timer(look_after, lifeline_.bind([this] {
    looking_ = false;
    compact_one();
  }));
}

std::vector<FileLog::Sealed> FileLog::sealed_segments() {
  std::vector<Sealed> sealed;
  const Index::Segments& known = index_.segments();
  auto next = known.begin();
  for (std::size_t i = 0; i + 1 < segments_.all().size(); ++i) {
    // Its notes hold until those that repeat them are committed.
    if (segments_.all()[i + 1].readable <= segment_header_bytes) break;
    const std::uint64_t number = segments_.all()[i].number();
    while (next != known.end() && (*next)->number() < number) ++next;
    const bool has_any = next != known.end() && (*next)->number() == number;
    sealed.push_back({segments_.find(number), has_any ? next->get() : nullptr});
  }
  return sealed;
}

// Where it lies first, then how many; none: nothing is worth it.
std::pair<std::size_t, std::size_t> FileLog::choose(const std::vector<Sealed>& sealed) const {
  const std::uint64_t most = services_.settings.segment_bytes / 2;
  const std::uint64_t gain = std::min(least_gain, services_.settings.segment_bytes / 16);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    const LogSegment& segment = *sealed[i].segment;
    const std::uint64_t stays = sealed[i].live_bytes() + segment.erases_bytes;
    if (segment.left_alone || stays > segment.end / 2 || segment.end - stays < gain) continue;
    std::size_t first = i;
    std::size_t last = i;
    std::uint64_t bytes = stays;
    std::size_t messages = sealed[i].messages();
    // Neighbours that are not much larger come along, so that small files do not pile up.
    const auto comes_along = [&](const Sealed& other) {
      const std::uint64_t more = other.live_bytes() + other.segment->erases_bytes;
      const bool fits =
          bytes + more <= most && messages + other.messages() <= IndexSegment::max_messages;
      if (other.segment->left_alone || !fits) return false;
      if (other.segment->end > 2 * std::max(bytes, gain)) return false;
      bytes += more;
      messages += other.messages();
      return true;
    };
    while (first > 0 && comes_along(sealed[first - 1])) --first;
    while (last + 1 < sealed.size() && comes_along(sealed[last + 1])) ++last;
    return {first, last - first + 1};
  }
  return {0, 0};
}

void FileLog::compact_one() {
  if (compacting_ || failed_ || closed_) return;
  const std::vector<Sealed> sealed = sealed_segments();
  const auto [first, count] = choose(sealed);
  if (count == 0) return;
  auto run = std::make_shared<CompactionRun>();
  if (!fill(*run, {sealed.begin() + static_cast<std::ptrdiff_t>(first),
                   sealed.begin() + static_cast<std::ptrdiff_t>(first + count)})) {
    return look_for_dead_soon();
  }
  auto work = [run, &files = services_.files] {
    if (!run->job.jobs->cancelled) run->result = compact(files, run->job);
  };
  auto done = lifeline_.bind([this, run] {
    compacting_ = nullptr;
    finish(*run);
    finish_close();
    compact_one();
  });
  if (!services_.workers.run(std::move(work), loop_, std::move(done))) {
    give_ends_back(*run);
    return look_for_dead_soon();
  }
  compacting_ = run;
  set_compacting(*run, true);
}

void FileLog::set_compacting(const CompactionRun& run, bool value) {
  for (LogSegment& segment : segments_.all()) {
    const std::uint64_t number = segment.number();
    if (number >= run.first && number <= run.last) segment.compacting = value;
  }
}

// False: something is being erased there, and must be committed first.
bool FileLog::fill(CompactionRun& run, const std::vector<Sealed>& sources) {
  CompactionJob& job = run.job;
  run.first = sources.front().segment->stands_for;
  run.last = sources.back().segment->number();
  job.stands_for = run.first;
  job.salt = segments_.draw_salt();
  job.jobs = segments_.jobs();
  std::size_t messages = 0;
  for (const Sealed& source : sources) messages += source.messages();
  job.live.reserve(messages);
  absl::flat_hash_set<std::uint64_t> ends_in;
  for (const Sealed& source : sources) {
    job.sources.push_back({source.segment->file, source.segment->end});
    ends_in.insert(source.segment->ends_in.begin(), source.segment->ends_in.end());
    for (std::size_t i = 0; source.index != nullptr && i < source.index->size(); ++i) {
      if (source.index->gone(i)) continue;
      if (source.index->leaving(i)) return false;
      job.live.push_back(
          {source.index->sequence(i), source.index->counted(i), source.index->subject(i)});
    }
  }
  for (const std::uint64_t number : ends_in) {
    if (number >= run.first && number <= run.last) continue;
    const LogSegment* other = segments_.find(number);
    // Of one whose file is about to go nothing more is known.
    job.needed.push_back(other == nullptr ? CompactionJob::Range{1, UINT64_MAX}
                                          : CompactionJob::Range{other->first, other->last});
  }
  take_ends(run);
  return true;
}

// What was ended in the sources so far will not be in the new file. What is ended there from now on
// is noted anew.
void FileLog::take_ends(CompactionRun& run) {
  for (LogSegment& segment : segments_.all()) {
    absl::erase_if(segment.ends_in, [&](std::uint64_t number) {
      if (number < run.first || number > run.last) return false;
      run.ends_in.emplace_back(segment.number(), number);
      return true;
    });
  }
}

void FileLog::give_ends_back(const CompactionRun& run) {
  for (const auto& [number, ended_in] : run.ends_in) {
    if (LogSegment* segment = segments_.find(number)) segment->ends_in.insert(ended_in);
  }
}

void FileLog::finish(CompactionRun& run) {
  set_compacting(run, false);
  if (!run.result) {
    log().warn("{}: segments {} to {} stay as they are: {}", stream_folder(stream_), run.first,
               run.last, run.result.error().text);
    give_ends_back(run);
    for (LogSegment& segment : segments_.all()) {
      const std::uint64_t number = segment.number();
      if (number >= run.first && number <= run.last) segment.left_alone = true;
    }
    return;
  }
  Compacted& compacted = *run.result;
  LogSegment fresh{.file = std::move(compacted.file),
                   .stands_for = run.first,
                   .end = compacted.end,
                   .readable = compacted.end,
                   .reserved = compacted.end,
                   .compacted = true,
                   .erases_bytes = compacted.erases_bytes};
  const bool is_alive = replace_in_index(run, std::move(compacted.index));
  fresh.dead = !is_alive;
  for (const auto& old : segments_.replace(run.first, std::move(fresh))) blocks_.forget(*old);
  // The number is the same, the places are not.
  tail_.forget_before({run.last + 1, 0});
  tidy();
}

// False: none of the messages is left.
bool FileLog::replace_in_index(const CompactionRun& run, std::unique_ptr<IndexSegment> fresh) {
  const Index::Segments& known = index_.segments();
  const auto begins = [&](std::uint64_t number) {
    return static_cast<std::size_t>(
        std::partition_point(known.begin(), known.end(),
                             [&](const auto& segment) { return segment->number() < number; }) -
        known.begin());
  };
  const std::size_t first = begins(run.first);
  const std::size_t behind = begins(run.last + 1);
  if (first == behind) return false;
  mark_dead();  // what was dead before this
  index_.replace(first, behind - 1, std::move(fresh));
  static_cast<void>(index_.take_dead());  // the sources, which go in any case
  return first < known.size() && known[first]->number() == run.last;
}

}  // namespace spanwire::store
