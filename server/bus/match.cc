#include "bus/match.h"

#include <algorithm>

#include "base/assert.h"
#include "bus/port.h"

namespace spanwire::bus {
namespace {

// Each subject that is seen once writes one of them: small enough to lie near the core.
constexpr std::size_t fingerprint_slots = 1U << 17;
// So many used matches are passed over at once; then one goes all the same: a step stays short.
constexpr std::size_t most_chances = 1000;
// So many are looked at for each that enters: one that has ended is met twice before the cache has
// grown by half. Less of a small cache: whoever is asked for now and then is to be met seldom.
constexpr std::size_t swept_at_once = 4;
constexpr std::size_t sweep_rounds = 16;

template <class T>
std::size_t heap_bytes(const std::vector<T>& list) {
  return list.capacity() * sizeof(T);
}

}  // namespace

void Match::build(const Key& key, base::LoopId loop, Life life) {
  interest_ = key.interest;
  if (subject_.data() != key.subject.data()) subject_.assign(key.subject);
  hash_ = key.hash;
  asker_ = key.asker;
  runs.clear();
  targets.clear();
  subscriptions.clear();
  draws.clear();
  shown.clear();
  shadows_.clear();
  remote_loops = durable_loops = 0;
  durable = false;
  find_way(loop, life);
  // A subject with an empty token matches nothing, whatever the wildcards.
  if (is_drawn() || !subject::is_well_formed(route())) return;
  interest_->match(loop, route(), [&](const FilterEntry& entry) { collect(entry, loop); });
  lay_out(life);
}

// Where the subject goes, and the stamp of that, which is read before the walk. A match for one
// message goes without: its slots are rarely near.
void Match::find_way(base::LoopId loop, Life life) {
  way_ = Way::straight;
  mapping_ = nullptr;
  mappings_ = nullptr;
  if (asker_ == Asker::router) {
    if (life == Life::kept) stamp_ = interest_->stamp(subject_, hash_);
    return;
  }
  do {
    mappings_ = interest_->mappings(loop);
    mapping_ = mappings_ ? mappings_->find(subject_) : nullptr;
    way_ = Way::straight;
    if (mapping_ != nullptr) way_ = mapping_->is_fixed() ? Way::mapped : Way::drawn;
    if (way_ == Way::mapped) {
      route_.clear();
      mapping_->apply(subject_, 0, route_);
    }
    if (life == Life::kept) stamp_ = interest_->stamp(route(), interest_->hash(route()));
  } while (interest_->mappings(loop) != mappings_);
}

void Match::collect(const FilterEntry& entry, base::LoopId loop) {
  for (const LoopPlain& plain : entry.plain) {
    if (plain.loop != loop) {
      const std::uint64_t bit = std::uint64_t{1} << plain.loop;
      if (!plain.may_receive(route())) continue;
      remote_loops |= bit;
      if (plain.durable != 0) durable_loops |= bit;
      continue;
    }
    for (Subscription* subscription : plain.subscriptions) {
      if (subscription->is_shadow()) {
        collect_shadow(*subscription);
      } else if (subscription->port->may_receive(route())) {
        subscriptions.push_back(subscription);
      }
    }
  }
  collect_groups(entry, loop);
}

void Match::collect_shadow(Subscription& shadow) {
  const std::uint32_t as = show(*shadow.view());
  if (as == 0 || !shadow.port->may_receive(shown[as - 1])) return;
  shadows_.push_back({&shadow.counted(), as});
}

// The place of the subject that an importer sees, as in Run::shown; 0 if it does not want it.
std::uint32_t Match::show(const ShadowView& view) {
  std::string text;
  if (!view.present(route(), text)) return 0;
  const auto found = std::find(shown.begin(), shown.end(), text);
  const auto place = static_cast<std::uint32_t>(found - shown.begin());
  if (found == shown.end()) shown.push_back(std::move(text));
  return place + 1;
}

void Match::collect_groups(const FilterEntry& entry, base::LoopId loop) {
  if (entry.groups == nullptr) return;
  for (const auto& group : *entry.groups) {
    Draw* draw = nullptr;
    for (const QueueMember& member : group->members) {
      if (!member.may_receive(route())) continue;
      if (draw == nullptr) draw = &draws.emplace_back(Draw{group->name, {}});
      draw->members.push_back({member.id, member.gate, member.subscription});
      if (!member.view) continue;
      DrawMember& shadow = draw->members.back();
      shadow.shown = show(*member.view);
      if (base::loop_of(shadow.id) == loop) shadow.subscription = &shadow.subscription->counted();
    }
  }
}

// Groups of one name at several filters are one.
void Match::merge_draws() {
  const auto by_group = [](const Draw& a, const Draw& b) { return a.group < b.group; };
  if (std::is_sorted(draws.begin(), draws.end(), by_group)) {
    const auto same = [](const Draw& a, const Draw& b) { return a.group == b.group; };
    if (std::adjacent_find(draws.begin(), draws.end(), same) == draws.end()) return;
  } else {
    std::sort(draws.begin(), draws.end(), by_group);
  }
  std::size_t kept = 0;
  for (std::size_t i = 1; i < draws.size(); ++i) {
    if (draws[i].group == draws[kept].group) {
      auto& members = draws[kept].members;
      members.insert(members.end(), draws[i].members.begin(), draws[i].members.end());
    } else if (++kept != i) {
      draws[kept] = std::move(draws[i]);
    }
  }
  draws.resize(kept + 1);
}

void Match::lay_out(Life life) {
  merge_draws();
  const auto before = [](const Subscription& a, const Subscription& b) {
    return a.port != b.port ? a.port->id() < b.port->id() : a.id < b.id;
  };
  std::sort(subscriptions.begin(), subscriptions.end(),
            [&before](const auto* a, const auto* b) { return before(*a, *b); });
  std::sort(shadows_.begin(), shadows_.end(), [&before](const Shadow& a, const Shadow& b) {
    return a.shown != b.shown ? a.shown < b.shown : before(*a.counted, *b.counted);
  });
  const std::size_t own = subscriptions.size();
  for (const Shadow& shadow : shadows_) subscriptions.push_back(shadow.counted);
  const bool noted = life == Life::kept && subscriptions.size() <= max_noted_targets;
  notes_.assign(noted ? subscriptions.size() : 0, Note{});
  for (std::size_t i = 0; i < subscriptions.size(); ++i) {
    const Subscription& subscription = *subscriptions[i];
    const std::uint32_t as = i < own ? 0 : shadows_[i - own].shown;
    targets.push_back({subscription.id, subscription.tag, noted ? &notes_[i] : nullptr, false});
    if (runs.empty() || runs.back().port != subscription.port || runs.back().shown != as) {
      runs.push_back({subscription.port, static_cast<std::uint32_t>(i), 0, false, as});
    }
    ++runs.back().count;
    if (!subscription.echo || subscription.limit != 0) runs.back().picky = true;
  }
  durable = durable_loops != 0 || std::any_of(subscriptions.begin(), subscriptions.end(),
                                              [](const auto* its) { return its->durable; });
  if (own == subscriptions.size()) return;
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    return a.port != b.port ? a.port->id() < b.port->id() : a.shown < b.shown;
  });
}

std::size_t Match::size_bytes() const {
  std::size_t total = sizeof(Match) + subject_.capacity() + route_.capacity() + heap_bytes(runs) +
                      heap_bytes(targets) + heap_bytes(subscriptions) + heap_bytes(notes_) +
                      heap_bytes(draws) + heap_bytes(shown) + heap_bytes(shadows_);
  for (const std::string& text : shown) total += text.capacity();
  for (const Draw& draw : draws) total += draw.group.capacity() + heap_bytes(draw.members);
  return total;
}

MatchCache::MatchCache(base::LoopId loop, std::size_t budget_bytes)
    : loop_(loop), budget_bytes_(budget_bytes), fingerprints_(fingerprint_slots) {}

Match::Key MatchCache::key_of(const Interest& interest, std::string_view subject, Asker asker) {
  // Any other hash does for a client's matches: there they never meet the router's.
  const std::uint64_t turned = asker == Asker::client ? 0x9e3779b97f4a7c15U : 0;
  return {&interest, subject, asker, interest.hash(subject) ^ turned};
}

Match* MatchCache::find(const Match::Key& key) {
  const auto found = matches_.find(key);
  if (found == matches_.end()) return nullptr;
  Match& match = **found;
  match.used = true;
  if (!match.holds()) rebuild(match);
  return &match;
}

Match& MatchCache::make(const Match::Key& key) {
  __builtin_prefetch(&fingerprints_[key.hash % fingerprint_slots], 1);
  ++builds_;
  passing_.build(key, loop_, Match::Life::passing);
  return seen_before(key.hash) ? admit(key) : passing_;  // by now its fingerprint is here
}

void MatchCache::rebuild(Match& match) {
  ++builds_;
  bytes_ -= match.size_bytes();
  match.build(match.key(), loop_, Match::Life::kept);
  bytes_ += match.size_bytes();
  make_room(match);
}

bool MatchCache::seen_before(std::uint64_t hash) {
  // The slot comes from the low bits, the fingerprint from the high ones.
  std::uint16_t& slot = fingerprints_[hash % fingerprint_slots];
  const auto fingerprint = static_cast<std::uint16_t>((hash >> 48) | 1U);  // 0 is an empty slot
  if (slot == fingerprint) return true;
  slot = fingerprint;
  return false;
}

Match& MatchCache::admit(const Key& key) {
  auto made = std::make_unique<Match>();
  Match& match = *made;
  match.build(key, loop_, Match::Life::kept);
  bytes_ += match.size_bytes();
  matches_.insert(std::move(made));
  ring_.push_back(&match);
  sweep(match);
  make_room(match);
  return match;
}

void MatchCache::make_room(const Match& kept) {
  while ((bytes_ > budget_bytes_ || ring_.size() > max_cached_matches) && ring_.size() > 1) {
    evict(kept);
  }
}

// There is another match than `kept`.
void MatchCache::evict(const Match& kept) {
  for (std::size_t chances = 0;; ++hand_) {
    if (hand_ >= ring_.size()) hand_ = 0;
    Match& candidate = *ring_[hand_];
    if (&candidate == &kept) continue;
    if (!candidate.used || ++chances > most_chances) break;
    candidate.used = false;
  }
  remove_at_hand();
}

// One that holds may be a subject that is published seldom; one that does not is built again in any
// case, if it is ever asked for.
void MatchCache::sweep(const Match& kept) {
  const std::size_t count = std::min(swept_at_once, ring_.size() / sweep_rounds);
  for (std::size_t i = 0; i < count; ++i) {
    if (hand_ >= ring_.size()) hand_ = 0;
    Match& candidate = *ring_[hand_];
    if (&candidate == &kept || candidate.holds()) {
      ++hand_;
    } else if (candidate.used) {
      candidate.used = false;
      ++hand_;
    } else {
      remove_at_hand();
    }
  }
}

void MatchCache::remove_at_hand() {
  const Match& victim = *ring_[hand_];
  bytes_ -= victim.size_bytes();
  const auto found = matches_.find(victim.key());
  BASE_ASSERT(found != matches_.end());
  matches_.erase(found);
  ring_[hand_] = ring_.back();
  ring_.pop_back();
  ++epoch_;
}

}  // namespace spanwire::bus
