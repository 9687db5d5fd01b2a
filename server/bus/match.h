// The match cache of a loop: from a subject to who on this loop gets it and where else it goes.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bus/interest.h"

namespace spanwire::bus {

// The targets of one port that show the same subject, next to one another in Match::targets.
struct Run {
  Port* port = nullptr;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool picky = false;       // some target has echo=false or a limit: look at each before delivery
  std::uint32_t shown = 0;  // 0: the message's own subject; else one more than its place in `shown`
};

// A queue member that may receive the subject.
struct DrawMember {
  base::SubId id;
  base::Ref<Gate> gate;
  Subscription* subscription;  // that counts; only for the loop that loop_of(id) names
  std::uint32_t shown = 0;     // as Run::shown
};

// One queue group, its members of all matching filters and all loops together.
struct Draw {
  std::string group;
  std::vector<DrawMember> members;
};

// A loop keeps matches of so many subjects. One of a few subscribers is made anew in the time that
// it takes to come from memory among more of them: then they would only take room.
inline constexpr std::size_t max_cached_matches = 8192;

// A match with more targets than this keeps no notes.
inline constexpr std::size_t max_noted_targets = 1000;

// Whose subject a match is of. A client's may be mapped; what a mapping yields, what other loops
// send and what the server itself publishes is not.
enum class Asker : std::uint8_t { router, client };

// Everything that a subject reaches, seen from one loop. Holds while its stamp holds.
class Match {
 public:
  struct Key {
    const Interest* interest;
    std::string_view subject;
    Asker asker;
    std::uint64_t hash;
  };

  // For how long a match is made. One that is kept has a stamp and notes.
  enum class Life : std::uint8_t { passing, kept };

  // Walks the tree and replaces what this match held.
  void build(const Key& key, base::LoopId loop, Life life);

  // Of one that is kept.
  bool holds() const { return stamp_.holds(); }
  const Interest& interest() const { return *interest_; }
  std::string_view subject() const { return subject_; }
  std::uint64_t hash() const { return hash_; }
  Key key() const { return {interest_, subject_, asker_, hash_}; }
  bool is_for(const Key& key) const {
    return interest_ == key.interest && subject_ == key.subject && asker_ == key.asker;
  }
  // The subject goes elsewhere: to route(), whose match this is, or to what draw() says, whose
  // match is another one.
  bool is_mapped() const { return way_ != Way::straight; }
  bool is_drawn() const { return way_ == Way::drawn; }
  std::string_view route() const { return way_ == Way::mapped ? route_ : subject_; }
  void draw(std::uint64_t random, std::string& out) const {
    mapping_->apply(subject_, random, out);
  }
  bool empty() const { return runs.empty() && is_plain_and_here(); }
  // No queue groups and no other loops: the usual case.
  bool is_plain_and_here() const { return draws.empty() && remote_loops == 0; }
  // Whether more than one place gets the message: then a large one is worth counting.
  bool is_shared() const {
    return runs.size() + draws.size() + static_cast<std::size_t>(std::popcount(remote_loops)) > 1;
  }
  std::size_t size_bytes() const;

  std::vector<Run> runs;                     // by port, then by the subject shown
  std::vector<Target> targets;               // of this loop's plain subscriptions, by run
  std::vector<Subscription*> subscriptions;  // parallel to targets; those that count deliveries
  std::vector<Draw> draws;                   // by group; only members that may receive the subject
  std::uint64_t remote_loops = 0;            // a bit for each other loop with plain subscriptions
  std::uint64_t durable_loops = 0;           // of these, those with durable ones
  bool durable = false;                      // some plain subscription is, here or elsewhere
  bool used = false;                         // second chance
  std::vector<std::string> shown;            // subjects that importers see

 private:
  enum class Way : std::uint8_t { straight, mapped, drawn };

  void find_way(base::LoopId loop, Life life);
  void collect(const FilterEntry& entry, base::LoopId loop);
  void collect_shadow(Subscription& shadow);
  void collect_groups(const FilterEntry& entry, base::LoopId loop);
  std::uint32_t show(const ShadowView& view);
  void lay_out(Life life);
  void merge_draws();

  // What each message looks at lies together; the rest is behind.
  const Interest* interest_ = nullptr;
  std::string subject_;
  std::uint64_t hash_ = 0;  // of the key
  Asker asker_ = Asker::router;
  Way way_ = Way::straight;
  Stamp stamp_;
  std::vector<Note> notes_;
  std::string route_;                   // of a mapped subject
  base::Ref<const Mappings> mappings_;  // of a drawn one, which has no targets
  const Mapping* mapping_ = nullptr;
  struct Shadow {
    Subscription* counted;
    std::uint32_t shown;
  };
  std::vector<Shadow> shadows_;  // plain ones that match, while the match is built
};

// Bounded in bytes and in number, second chance. A subject enters when it is seen a second time, so
// that one-time inboxes push nobody out. A match that no longer holds and that nobody asks for
// again leaves as others enter: inboxes that come and go do not fill the budget.
class MatchCache {
 public:
  MatchCache(base::LoopId loop, std::size_t budget_bytes);

  // Valid as long as the subject's text.
  static Match::Key key_of(const Interest& interest, std::string_view subject,
                           Asker asker = Asker::router);
  // The match of this subject if it is kept; fresh: built again in its place if it no longer held,
  // while others make room for what it has grown by. Valid until epoch() changes.
  Match* find(const Match::Key& key);
  // For a subject that find() does not know: valid until the next call or until epoch() changes.
  Match& make(const Match::Key& key);

  // Changes whenever a match is destroyed.
  std::uint64_t epoch() const { return epoch_; }
  // Whether this match lives here (until the epoch changes) or was built for one message.
  bool keeps(const Match& match) const { return &match != &passing_; }
  std::size_t size() const { return ring_.size(); }
  std::size_t size_bytes() const { return bytes_; }
  std::uint64_t builds() const { return builds_; }

 private:
  using Key = Match::Key;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const { return key.hash; }
    std::size_t operator()(const std::unique_ptr<Match>& match) const { return match->hash(); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const std::unique_ptr<Match>& a, const Key& b) const { return a->is_for(b); }
    bool operator()(const Key& a, const std::unique_ptr<Match>& b) const { return (*this)(b, a); }
    bool operator()(const std::unique_ptr<Match>& a, const std::unique_ptr<Match>& b) const {
      return a == b;
    }
  };

  void rebuild(Match& match);
  bool seen_before(std::uint64_t hash);
  Match& admit(const Key& key);
  void make_room(const Match& kept);
  void evict(const Match& kept);
  void sweep(const Match& kept);
  void remove_at_hand();

  base::LoopId loop_;
  std::size_t budget_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t builds_ = 0;
  absl::flat_hash_set<std::unique_ptr<Match>, Hash, Equal> matches_;
  std::vector<Match*> ring_;
  std::size_t hand_ = 0;
  std::vector<std::uint16_t> fingerprints_;
  Match passing_;  // of a subject seen for the first time
};

}  // namespace spanwire::bus
