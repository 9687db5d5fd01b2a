// Who of a loop waits for somebody to listen to a subject (Port::watch).
//
// That nobody is missed stands on an order. A watch is put down first, and its account's tree knows
// that this loop watches (Interest::set_watched, under the loop's lock); only then does it look who
// listens. A subscription is linked first, and only then are the loops that watch read, both under
// all locks (Interest::add). So whichever comes second sees the other: the watch finds the
// subscription, or the subscription's loop tells the watch's at its next hand-over, and that is a
// task of a later turn, which finds the watch.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/done.h"
#include "base/ids.h"
#include "base/ref.h"
#include "subject/filter.h"

namespace spanwire::bus {

class Interest;
class Port;

// A watch's name on its loop; 0 is none. Never used again.
enum class WatchId : std::uint64_t { none = 0 };

// What Port::watch() says.
struct Watched {
  bool interested = false;     // somebody listens: nothing is watched
  WatchId id = WatchId::none;  // none as well: refused, there are as many as there may be
};

// What may have come to be listened to in one account, told at a hand-over: single subjects, and
// what all others begin with, those of wildcards and those that are too many to be named.
class Arrivals : public base::RefCounted<Arrivals> {
 public:
  static constexpr std::size_t most_subjects = 64;

  void add(const subject::Filter& filter);

  const std::vector<std::string>& subjects() const { return subjects_; }
  const std::optional<std::string>& beginning() const { return beginning_; }

 private:
  std::vector<std::string> subjects_;
  std::optional<std::string> beginning_;
};

// Those of one account. Belongs to a loop's router, as long as that lives.
class Watches {
 public:
  // So many watches are looked at, or called, in one step: less than 100 µs.
  static constexpr std::size_t slice = 128;

  // `count`: of this loop's watches of all accounts.
  Watches(Interest& interest, base::LoopId loop, base::Counter& count);

  void add(WatchId id, Port& port, std::string_view subject, base::Task on_arrival);
  // False: there is none.
  bool remove(WatchId id);
  void remove_all(const Port& port);

  // Calls the watches of the subjects that are named. True: walk() has begun to have work.
  bool arrived(const Arrivals& arrivals);
  // Looks at a slice of the watches that other arrivals may be for, and calls those whose subject
  // has a subscription. True: there are more.
  bool walk();

 private:
  struct Place {
    std::string subject;
    WatchId id;
  };
  struct Point {
    std::string_view subject;
    WatchId id;
  };
  struct Before {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const int order = std::string_view(a.subject).compare(b.subject);
      return order != 0 ? order < 0 : a.id < b.id;
    }
  };
  struct Watch {
    Port* port;
    base::Task on_arrival;
  };
  using BySubject = std::map<Place, Watch, Before>;
  // Through the watches whose subjects have this beginning, as far as there were any when it began.
  struct Walk {
    std::string beginning;
    Place next;
    WatchId last;
  };

  bool gather(std::string_view subject);
  void look_below(std::string_view beginning);
  Walk walk_from_start(std::string beginning) const;
  bool has_subscription(std::string_view subject) const;
  base::Task take(BySubject::iterator watch);
  void call_due();

  Interest& interest_;
  const base::LoopId loop_;
  base::Counter& count_;
  BySubject by_subject_;
  absl::flat_hash_map<WatchId, BySubject::iterator> by_id_;
  WatchId last_ = WatchId::none;  // the latest of this account
  std::optional<Walk> walk_;
  // What came since it began, and may be behind it: the beginning of another one.
  std::optional<std::string> next_walk_;
  std::vector<WatchId> due_;  // to be called in this step
};

}  // namespace spanwire::bus
