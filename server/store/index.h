// What a log knows of its messages without reading them: where each lies and of which subject it
// is, in segments, and what each subject has. Kept twice: ahead (all that was said) and committed
// (what readers see). Both kinds of log are built on it; docs/decisions/ says why it is like this.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/index_segment.h"
#include "store/index_selection.h"
#include "store/known_subjects.h"
#include "store/log.h"
#include "store/subject_table.h"

namespace spanwire::store {

class Index {
 public:
  // Tells a message's time, which is read when a new message becomes the first.
  using TimeOf = absl::AnyInvocable<base::WallTime(Sequence) const>;
  explicit Index(TimeOf time_of) : time_of_(std::move(time_of)) {}

  struct Appended {
    Sequence sequence = 0;      // above all before
    std::uint32_t offset = 0;   // in the segment, below IndexSegment::max_offset
    std::uint32_t counted = 0;  // counted_bytes()
    base::WallTime time{};      // not before the last one's
    std::string_view subject;
    SubjectId id = no_subject;  // of the subject, if it is known
  };
  struct Place {
    std::uint64_t segment = 0;  // its number
    std::uint32_t offset = 0;
  };

  // Writing. What is appended goes to the segment that was opened last; numbers are never used
  // again.
  void open_segment(std::uint64_t number);
  // The open one holds as many messages as one should.
  bool segment_full() const;
  // Returns the number of its subject, which holds while epoch() stays.
  SubjectId append(const Appended& message);
  // Readers see this one at once: a start takes what is committed. Nothing that waits for a
  // commit() was appended before it.
  SubjectId append_committed(const Appended& message);
  std::uint64_t epoch() const { return subjects_.epoch(); }
  // A message of this subject will be appended soon.
  void prefetch(SubjectId id) const { __builtin_prefetch(&subjects_[id]); }
  bool erase(Sequence sequence);
  bool erase_through(Sequence sequence, std::size_t budget);
  // The sequences up to this one were given, the last of them at `time`, to messages that are gone.
  void skip_to(Sequence sequence, base::WallTime time);

  // What was said since the call before is committed by commit() of this ticket, or of a later one.
  void end_part(Ticket ticket);
  void commit(Ticket ticket);
  // Back to what is committed. Before the next append a segment is to be opened.
  void drop_uncommitted();

  const Totals& ahead() const { return ahead_; }  // without first_time
  const Totals& totals() const;
  SubjectTotals ahead_of(std::string_view subject) const;
  SubjectTotals of(std::string_view subject) const;
  // Of the last that was given, without asking for any message's time.
  Sequence ahead_last() const { return ahead_.last; }
  base::WallTime ahead_last_time() const { return ahead_.last_time; }
  Sequence ahead_first() const { return ahead_.messages == 0 ? 0 : ahead_.first; }
  Sequence ahead_first_of(std::string_view subject);

  // The first from this one on that is not erased, ahead; 0: there is none.
  Sequence ahead_from(Sequence sequence) const;

  Sequence committed_last() const { return totals_.last; }

  // Where a message lies that readers see; and one that was said, or readers still see.
  std::optional<Place> find(Sequence sequence) const;
  std::optional<Place> find_ahead(Sequence sequence) const;
  bool has(Sequence sequence) const { return find(sequence).has_value(); }
  bool is_ahead(Sequence sequence) const;
  // Of a message that find_ahead() finds; empty: there is none. Valid until the next call.
  std::string_view subject_of(Sequence sequence) const;

  // Searching, as log.h says it. The selections are this class's own.
  Found next(IndexSelection& selection, Sequence from, std::size_t& budget) const;
  Found last(IndexSelection& selection, Sequence up_to, std::size_t& budget) const;
  Found count(IndexSelection& selection, Sequence from, Sequence up_to, std::uint64_t& count,
              std::size_t budget) const;
  Found each_last(IndexSelection& selection, Sequence from,
                  absl::FunctionRef<void(Sequence sequence)> visit, std::size_t budget) const;
  Walked each_subject(
      const IndexSelection& selection, std::string_view after,
      absl::FunctionRef<bool(std::string_view subject, const SubjectTotals& totals)> visit,
      std::size_t budget) const;
  // Asks for the times of some ten messages.
  Found first_since(base::WallTime time) const;

  // Segments, in the order of their sequences.
  using Segments = std::deque<std::unique_ptr<IndexSegment>>;
  const Segments& segments() const { return segments_; }
  // Numbers of segments that hold no messages any more, and are forgotten here: once each. The open
  // one is not among them.
  std::vector<std::uint64_t> take_dead();
  // The messages of neighbours `first` to `last` (positions in segments()) lie in `fresh` from now
  // on: all that were there when it was made; what was erased since is erased in it. Only for
  // sealed segments without anything uncommitted when it was begun.
  void replace(std::size_t first, std::size_t last, std::unique_ptr<IndexSegment> fresh);
  // The position in segments() of the first that ends at or behind this sequence.
  std::size_t segment_from(Sequence sequence) const;

  std::size_t memory_bytes() const;

  // A segment that lies behind all others, with the texts that the numbers of its subjects stand
  // for, while there is nothing uncommitted. `known` has numbers of this epoch(). False: it does
  // not lie there.
  bool adopt(std::unique_ptr<IndexSegment> segment, std::span<const std::string_view> subjects,
             KnownSubjects& known);

 private:
  struct Spot {
    IndexSegment* segment = nullptr;
    std::size_t position = 0;
  };
  struct Erased {
    Sequence first;
    Sequence last;
  };
  struct Part {
    Ticket ticket = 0;
    Sequence last = 0;  // ahead_'s by then
    base::WallTime last_time{};
    std::uint64_t appended_bytes = 0;
    std::vector<Erased> erased;
  };
  // The lowest sequences of a subject with several messages, as they are ahead.
  struct Firsts {
    std::vector<Sequence> sequences;
    std::size_t head = 0;      // those before were erased
    Sequence complete_to = 0;  // none is missing up to here
    enum class Growing : std::uint8_t {
      never,
      as_learned,  // none is missing of what learn() has seen
      by_appends,  // none is missing at all
    } growing = Growing::never;
  };
  // What a segment that is adopted has of a subject.
  struct Adopted {
    SubjectId id = no_subject;
    std::uint32_t messages = 0;
    Sequence last = 0;
  };
  static constexpr std::size_t most_firsts = 128;
  static constexpr std::size_t learnt_at_once = 8'000;  // messages: less than a millisecond

  Spot spot(Sequence sequence) const;
  // One beyond the last position in this segment that readers see.
  std::size_t visible_end(const IndexSegment& segment) const;
  void erase_ahead(IndexSegment& segment, std::size_t position);
  Sequence erase_ahead_through(Sequence last, std::size_t& budget);
  void note_erased(Sequence first, Sequence last);
  void advance_ahead_first();
  void advance_first();
  void commit_appended(Sequence last);
  void commit_one(SubjectState& state, Sequence sequence);
  void commit_erased(const Erased& erased);
  void commit_gone(IndexSegment& segment, std::size_t position);
  void undo(const Part& part);
  void fall_back(SubjectId id);
  Sequence last_of(SubjectId id) const;
  Sequence ahead_last_of(SubjectId id) const;
  // A subject's message was appended; it had `before` ahead.
  void add_first(SubjectId id, Sequence sequence, const SubjectState& before);
  static void push_first(Firsts& firsts, Sequence sequence);
  void find_firsts(SubjectId id, Firsts& firsts) const;
  // Gathers the first sequences of all subjects, a slice with each question for one of them.
  void learn();
  void learn(SubjectId id, Sequence sequence);
  bool learnt_all() const { return learnt_to_ >= ahead_.last; }
  void adopt_subjects(std::span<const std::string_view> texts, std::span<Adopted> adopted,
                      KnownSubjects& known);
  void adopt_subject(Adopted& adopted);
  void forget_dead();
  // What is selected by name: how many there are, and the last.
  SubjectTotals named(const IndexSelection& selection, SubjectId& only) const;
  // An erasure was said that is not committed yet.
  bool erasing() const;

  mutable SubjectTable subjects_;  // last sequences are made exact when they are asked for
  Segments segments_;
  std::optional<std::uint64_t> opened_;  // number of a segment without messages yet
  Totals ahead_;
  mutable Totals totals_;
  mutable std::string subject_text_;
  mutable Sequence timed_ = 0;  // whose time first_time is
  TimeOf time_of_;
  std::deque<Part> parts_;
  Part part_;  // has not ended
  bool firsts_wanted_ = false;
  Sequence learnt_to_ = 0;  // learn() has seen everything up to here
  absl::flat_hash_map<SubjectId, Firsts> firsts_;
  std::vector<std::uint64_t> dead_;
  bool died_ = false;  // a segment may have lost its last message
};

}  // namespace spanwire::store
