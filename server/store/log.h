// A stream's messages, in memory or in a folder of files: the same contract for both.
//
// A log belongs to its home loop and is used on it alone. What append(), erase() and note() say is
// ahead at once (`ahead()`, `ahead_last_of()`), for the owner's checks; nobody else sees it before
// it is committed: readers see the messages up to the last committed one, and what is erased until
// its erasure is committed. So a power cut can never give a sequence that was delivered to another
// message.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "base/result.h"
#include "subject/filter.h"

namespace spanwire::store {

// The number of a message in its stream, from 1; 0 is none. Once acknowledged it is never given to
// another message.
using Sequence = std::uint64_t;

enum class Storage : std::uint8_t { memory, file };

// A message as it is stored. Texts of one that was read are valid until the next call of the log.
struct Message {
  Sequence sequence = 0;
  base::WallTime time{};
  std::string_view subject;
  std::string_view headers;
  std::string_view payload;
  std::size_t body_size() const { return headers.size() + payload.size(); }
};

// What a message counts for in `bytes` and against max_bytes: nats-server's figures.
inline std::size_t counted_bytes(Storage storage, const Message& message) {
  const std::size_t texts = message.subject.size() + message.body_size();
  if (storage == Storage::memory) return texts + 16;
  return texts + 30 + (message.headers.empty() ? 0 : 4);
}

struct Totals {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;      // of counted_bytes()
  Sequence first = 1;           // if there is none: the next one that will be given
  Sequence last = 0;            // the last given, erased or not
  base::WallTime first_time{};  // zero: there is none
  base::WallTime last_time{};   // of `last`; stays when it is erased
  std::uint64_t subjects = 0;
  std::uint64_t deleted() const { return messages == 0 ? 0 : last - first + 1 - messages; }
};

// What is kept of one subject.
struct SubjectTotals {
  std::uint64_t messages = 0;
  Sequence last = 0;  // of those that are there; 0 if there is none
};

// A position among commits: commit() numbers its calls from 1.
using Ticket = std::uint64_t;

// Filters of a reader, with what the log has found out about them. Belongs to one log. Without
// filters everything is selected.
class Selection {
 public:
  virtual ~Selection() = default;
  virtual bool all() const = 0;
  virtual bool matches(std::string_view subject) const = 0;
};

enum class Read : std::uint8_t {
  found,
  gone,     // erased, or never given, or not yet committed
  later,    // it lies on the disk: fetch() first
  damaged,  // its record is not what was written; reported and counted, service goes on
};

// Where a search ended.
struct Found {
  enum class Kind : std::uint8_t {
    message,  // `sequence` is selected
    none,     // nothing up to the last committed message
    more,     // the budget is used up: go on from `sequence`
  };
  Kind kind = Kind::none;
  Sequence sequence = 0;
};

// Where a walk over subjects ended.
struct Walked {
  bool all = true;    // there are no more
  std::string after;  // else go on from behind this one
};

struct Appending {
  std::string_view subject;
  std::string_view headers;
  std::string_view payload;
  base::WallTime time;  // a clock that goes back is corrected to the last message's time
  // Beyond the last one: those between were given to messages that are gone. Else the next one.
  Sequence sequence = 0;
};

// What a search may look at before it must let others run: about 1 ms of work.
inline constexpr std::size_t search_budget = 100'000;
// How many messages erase_through() erases at once: about 1 ms too, the commit included.
inline constexpr std::size_t erase_budget = 10'000;

class Log {
 public:
  // The owner hears what was committed and, while a log is recovered, what it holds.
  class Owner {
   public:
    // Everything up to this ticket is committed and visible, or has failed: then the log has fallen
    // back to what is committed and refuses (failed()). Called on the loop; for a log in memory
    // inside commit().
    virtual void on_committed(Ticket ticket, const base::Status& status) = 0;

    // Recovery, in this order: the owner's state, if a snapshot had one, then everything that came
    // after it in the order in which it was written. Without a snapshot that is everything that the
    // segments still hold.
    virtual void restore(std::string_view state) = 0;
    virtual void replay_message(const Message& message) = 0;
    virtual void replay_erased(Sequence sequence) = 0;
    virtual void replay_note(std::uint32_t kind, std::string_view note) = 0;

    // A new segment begins: say with Log::note() all that earlier notes have said and that still
    // holds. Then these are dead, and go with their segments.
    virtual void repeat_notes() = 0;
    // The whole state, for a snapshot: what restore() takes. Asked for in commit() and behind
    // close(): it has all that was said by then, and nothing else.
    virtual std::string state() const = 0;

   protected:
    ~Owner() = default;
  };

  virtual ~Log() = default;

  virtual Storage storage() const = 0;

  // Writing. Each takes effect in the order of the calls, with the commit that follows.
  virtual Sequence append(const Appending& message) = 0;
  // False: it is not there (any more).
  virtual bool erase(Sequence sequence) = 0;
  // Everything up to and with this sequence; it may lie beyond the last one, then the next message
  // gets the one after it. Erases so many messages at most: false if there are more, then call it
  // again, after a commit and in another turn.
  [[nodiscard]] virtual bool erase_through(Sequence sequence,
                                           std::size_t budget = erase_budget) = 0;
  // Words of the owner for itself, given back by replay_note().
  virtual void note(std::uint32_t kind, std::string_view note) = 0;
  // Ends the present part: what was said since the last call becomes durable together. Called at
  // the end of a turn; nothing to commit is a ticket too, committed with those before it.
  virtual Ticket commit() = 0;
  // Why nothing can be appended any more, until the log is opened again; null: all is well.
  virtual const base::Error* failed() const = 0;

  // With what is not committed yet; without first_time.
  virtual const Totals& ahead() const = 0;
  virtual SubjectTotals ahead_of(std::string_view subject) const = 0;
  // The first message that is not erased, ahead; 0 if none. Of a subject: needs a search when that
  // subject has had others erased, bounded by how many it has.
  virtual Sequence ahead_first() const = 0;
  virtual Sequence ahead_first_of(std::string_view subject) = 0;
  // Bytes that were said and are not yet committed: limits appends in flight.
  virtual std::size_t uncommitted_bytes() const = 0;

  // Reading: what is committed.
  virtual const Totals& totals() const = 0;
  virtual SubjectTotals of(std::string_view subject) const = 0;
  virtual Read read(Sequence sequence, Message& out) = 0;
  // Brings a message, and some that follow it, into memory; then calls `ready` on the loop. A log
  // in memory has nothing to bring, and calls it inside.
  virtual void fetch(Sequence sequence, base::Task ready) = 0;
  virtual bool has(Sequence sequence) const = 0;
  // Ahead: it is there, and its erasure was not said.
  virtual bool has_ahead(Sequence sequence) const = 0;
  // The subject of a message that is there, ahead or committed; empty: it is gone. From the index
  // alone. Valid until the next call.
  virtual std::string_view subject_of(Sequence sequence) const = 0;

  // Searching.
  virtual std::unique_ptr<Selection> select(std::vector<subject::Filter> filters) const = 0;
  // The first selected message from `from` on. Takes what it looks at from the budget, so that
  // several searches of one step can share it.
  virtual Found next_within(Selection& selection, Sequence from, std::size_t& budget) const = 0;
  Found next(Selection& selection, Sequence from, std::size_t budget = search_budget) const {
    return next_within(selection, from, budget);
  }
  // The last selected message up to `up_to`.
  virtual Found last_within(Selection& selection, Sequence up_to, std::size_t& budget) const = 0;
  Found last(Selection& selection, Sequence up_to, std::size_t budget = search_budget) const {
    return last_within(selection, up_to, budget);
  }
  // The first message not older than `time`; none: every message is older.
  virtual Found first_since(base::WallTime time) = 0;
  // How many selected messages there are from `from` to `up_to`, without those whose erasure was
  // said. Sliced, the last ones first: adds to `count` until it returns none; with `more` go on up
  // to there. So what is appended or erased meanwhile is behind or before what was counted.
  virtual Found count(Selection& selection, Sequence from, Sequence up_to, std::uint64_t& count,
                      std::size_t budget = search_budget) const = 0;
  // Calls visit(sequence) for each selected message from `from` on that is the last of its subject.
  // Sliced: until it returns none; with `more` go on from there.
  virtual Found each_last(Selection& selection, Sequence from,
                          absl::FunctionRef<void(Sequence sequence)> visit,
                          std::size_t budget = search_budget) const = 0;
  // Calls visit(subject, totals) for each selected subject in the order of their bytes, from behind
  // `after` on, until it returns false or the budget is used up.
  virtual Walked each_subject(
      Selection& selection, std::string_view after,
      absl::FunctionRef<bool(std::string_view subject, const SubjectTotals& totals)> visit,
      std::size_t budget = search_budget) const = 0;

  // What this log holds of memory and disk.
  struct Footprint {
    std::uint64_t memory_bytes = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t segments = 0;
    std::uint64_t damaged = 0;  // records that were not what was written, since the start
  };
  virtual Footprint footprint() const = 0;

  // Commits what was said, and saves what makes the next recovery short. Nothing may be called any
  // more, but for the destructor, after `done`. A log in memory calls it inside.
  virtual void close(base::Done<> done) = 0;
};

}  // namespace spanwire::store
