#include "bridges/kit/last_values.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/assert.h"

namespace spanwire::kit {
namespace {

// What an entry costs beside its texts: itself, its place in the table, two blocks of the heap.
constexpr std::size_t entry_overhead = 64;
// Entries looked at in one step: 50 to 100 ns each, so half a millisecond at most.
constexpr std::size_t slice_entries = 4096;
// Questions with wildcards that wait for their walk on a loop.
constexpr std::size_t max_walks = 1024;
// Memory for payloads that is not given back, however small the next payload is.
constexpr std::size_t kept_payload_bytes = 1024;

bool covers_payload(const bus::MessageView& message) {
  return message.counted != nullptr && message.payload.size() >= bus::by_reference_bytes;
}

}  // namespace

// A question on its way: read by every loop, completed on the asker's.
struct LastValues::Search {
  const ValueQuery query;
  base::Done<Answer> done;
  std::size_t left = 0;  // loops that have not answered
  Found best;

  void take(Found found) {
    best.refused = best.refused || found.refused;
    if (found.message &&
        (!best.message || best.is_older_than(found.time, found.loop, found.number))) {
      best.time = found.time;
      best.loop = found.loop;
      best.number = found.number;
      best.message = std::move(found.message);
    }
    if (--left != 0) return;
    if (best.refused) return done(base::fail("too many questions with wildcards at once"));
    done(std::move(best.message));
  }
};

// The question on one loop.
struct LastValues::Walk {
  std::shared_ptr<Search> search;
  base::LoopId asker = 0;
  std::uint64_t until = 0;  // values of subjects that are younger came after the question
  Found found;
};

bool LastValues::Found::is_older_than(base::Time other, base::LoopId from,
                                      std::uint64_t its_number) const {
  return std::tie(time, loop, number) < std::tie(other, from, its_number);
}

LastValues::LastValues(wire::Services& services, LastValuesGroup& group,
                       LastValuesSettings settings)
    : services_(services),
      loop_(services.loop()),
      group_(group),
      settings_(std::move(settings)),
      limit_bytes_(settings_.bytes / services.loops()) {
  BASE_ASSERT(group.of_loop_[loop_.id()] == nullptr);
  group.of_loop_[loop_.id()] = this;
  services.add_tap(*this);
}

LastValues::~LastValues() {
  services_.remove_tap(*this);
  group_.of_loop_[loop_.id()] = nullptr;
}

bool LastValues::is_kept(std::string_view subject) const {
  if (subject.empty() || subject.front() == '$' || subject.starts_with("_INBOX.")) return false;
  return settings_.keep.empty() ||
         std::any_of(settings_.keep.begin(), settings_.keep.end(),
                     [subject](const auto& filter) { return subject::matches(filter, subject); });
}

void LastValues::on_routed(const bus::MessageView& message, base::AccountId account) {
  const Key key{account, message.route};
  Entry* entry = recent_ != nullptr && key_of(*recent_) == key ? recent_ : find(key);
  if (entry == nullptr) {
    if (!is_kept(key.subject)) return;
    entry = &add(key);
  } else {
    entry->used = true;
  }
  set_value(*entry, message);
  recent_ = entry;
  if (bytes_ > limit_bytes_) make_room();
}

LastValues::Entry* LastValues::find(const Key& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->get();
}

LastValues::Entry& LastValues::add(const Key& key) {
  auto made = std::make_unique<Entry>();
  Entry& entry = *made;
  entry.account = key.account;
  entry.subject = key.subject;
  entry.born = number_ + 1;
  entry.previous = last_;
  (last_ == nullptr ? first_ : last_->next) = &entry;
  last_ = &entry;
  entries_.insert(std::move(made));
  stats_.entries.add();
  return entry;
}

void LastValues::set_value(Entry& entry, const bus::MessageView& message) {
  entry.time = loop_.now();
  entry.number = ++number_;
  entry.origin = message.origin;
  entry.message = covers_payload(message) ? message.keep() : nullptr;
  const std::string_view copied = entry.message ? std::string_view() : message.payload;
  if (entry.payload.capacity() > kept_payload_bytes + 2 * copied.size()) entry.payload = {};
  entry.payload.assign(copied);
  const std::size_t shared = entry.message ? entry.message->size_bytes() : 0;
  const std::size_t bytes =
      sizeof(Entry) + entry_overhead + entry.subject.capacity() + entry.payload.capacity() + shared;
  if (bytes == entry.bytes) return;
  bytes_ += bytes - entry.bytes;  // wraps to a subtraction
  stats_.bytes.add(bytes - entry.bytes);
  entry.bytes = bytes;
}

// Second chance: what was published again or asked for since the hand came by stays for a round, so
// subjects that are used once push nobody out.
void LastValues::make_room() {
  if (recent_->bytes > limit_bytes_) {
    stats_.too_large.add();
    return give_up(*recent_);
  }
  while (bytes_ > limit_bytes_) {
    Entry& entry = hand_ == nullptr ? *first_ : *hand_;
    hand_ = entry.next;
    if (&entry == recent_ || std::exchange(entry.used, false)) continue;
    give_up(entry);
    stats_.evicted.add();
  }
}

// The others are told at once, not at the end of the turn: a turn may write to sockets before.
void LastValues::give_up(Entry& entry) {
  const HashedKey key{EntryHash()(key_of(entry))};
  for (std::size_t i = 0; i < services_.loops(); ++i) {
    const auto there = static_cast<base::LoopId>(i);
    if (there == loop_.id()) continue;
    services_.post(there, [group = &group_, there, key, time = entry.time] {
      LastValues* values = group->of_loop_[there];
      if (values != nullptr) values->remove_older(key, time);
    });
  }
  remove(entry);
}

void LastValues::remove_older(HashedKey key, base::Time time) {
  const auto found = entries_.find(key);
  if (found != entries_.end() && (*found)->time < time) remove(**found);
}

void LastValues::remove(Entry& entry) {
  for (Entry** pointer : {&hand_, &cursor_}) {
    if (*pointer == &entry) *pointer = entry.next;
  }
  if (recent_ == &entry) recent_ = nullptr;
  (entry.previous == nullptr ? first_ : entry.previous->next) = entry.next;
  (entry.next == nullptr ? last_ : entry.next->previous) = entry.previous;
  bytes_ -= entry.bytes;
  stats_.bytes.subtract(entry.bytes);
  stats_.entries.subtract(1);
  entries_.erase(entries_.find(key_of(entry)));
}

void LastValues::find(ValueQuery query, base::Done<Answer> done) {
  const std::size_t loops = services_.loops();
  const std::shared_ptr<Search> search(
      new Search{.query = std::move(query), .done = std::move(done), .left = loops});
  for (std::size_t i = 0; i < loops; ++i) {
    const auto there = static_cast<base::LoopId>(i);
    auto walk = std::make_unique<Walk>();
    walk->search = search;
    walk->asker = loop_.id();
    services_.post(there, [group = &group_, there, walk = std::move(walk)]() mutable {
      LastValues* values = group->of_loop_[there];
      if (values != nullptr) values->ask(std::move(walk));  // none: the server is stopping
    });
  }
}

void LastValues::ask(std::unique_ptr<Walk> walk) {
  walk->found.loop = loop_.id();
  if (walk->search->query.filter.is_literal()) {
    walk->found = look_up(walk->search->query);
    return answer(std::move(walk));
  }
  if (walks_.size() == max_walks) {
    stats_.refused.add();
    walk->found.refused = true;
    return answer(std::move(walk));
  }
  walks_.push_back(std::move(walk));
  if (walks_.size() == 1) begin_walk();
}

LastValues::Found LastValues::look_up(const ValueQuery& query) {
  Found found;
  found.loop = loop_.id();
  const Key key{query.account, query.filter.literal_text()};
  if (Entry* entry = find(key)) {
    entry->used = true;
    if (!fits(query, *entry)) return found;
    found.time = entry->time;
    found.number = entry->number;
    found.message = message_of(*entry);
  }
  return found;
}

// The first walk begins; each of its steps is a task of its own, behind what has come meanwhile.
void LastValues::begin_walk() {
  walks_.front()->until = number_;
  cursor_ = first_;
  services_.post(loop_.id(), lifeline_.bind([this] { walk_on(); }));
}

void LastValues::walk_on() {
  Walk& walk = *walks_.front();
  Entry* best = nullptr;
  for (std::size_t i = 0; i < slice_entries; ++i, cursor_ = cursor_->next) {
    if (cursor_ == nullptr || cursor_->born > walk.until) break;
    const Found& found = walk.found;
    const Entry& entry = *cursor_;
    if (!found.is_older_than(entry.time, found.loop, entry.number)) continue;
    if (!fits(walk.search->query, entry)) continue;
    walk.found.time = entry.time;
    walk.found.number = entry.number;
    best = cursor_;
  }
  if (best != nullptr) {
    best->used = true;
    walk.found.message = message_of(*best);
  }
  if (cursor_ != nullptr && cursor_->born <= walk.until) {
    return services_.post(loop_.id(), lifeline_.bind([this] { walk_on(); }));
  }
  answer(std::move(walks_.front()));
  walks_.pop_front();
  cursor_ = nullptr;
  if (!walks_.empty()) begin_walk();
}

bool LastValues::fits(const ValueQuery& query, const Entry& entry) {
  return entry.account == query.account && query.fits(entry.subject);
}

base::Ref<const bus::Message> LastValues::message_of(const Entry& entry) {
  bus::MessageView view;
  view.route = entry.subject;
  view.subject = entry.subject;
  view.payload = entry.message ? entry.message->view().payload : std::string_view(entry.payload);
  view.origin = entry.origin;
  return bus::Message::copy(view);
}

void LastValues::answer(std::unique_ptr<Walk> walk) {
  const base::LoopId asker = walk->asker;
  services_.post(asker,
                 [search = std::move(walk->search), found = std::move(walk->found)]() mutable {
                   search->take(std::move(found));
                 });
}

}  // namespace spanwire::kit
