#include "bus/interest.h"

#include <absl/hash/hash.h>

#include <algorithm>

#include "base/assert.h"
#include "bus/port.h"

namespace spanwire::bus {
namespace {

// Where the group of this name stands, or would.
auto find_group(FilterEntry& entry, std::string_view name) {
  return std::lower_bound(
      entry.groups->begin(), entry.groups->end(), name,
      [](const auto& group, std::string_view wanted) { return group->name < wanted; });
}

// More of one loop at one filter than there is memory for.
constexpr std::uint32_t max_durable = (1U << 24) - 1;

// What the receiver would show of the subject must be wanted and permitted.
bool may_receive_as(const account::PermissionSet* set, const ShadowView* view,
                    std::string_view subject) {
  std::string shown;
  if (view != nullptr) {
    if (!view->present(subject, shown)) return false;
    subject = shown;
  }
  return set == nullptr || set->may_receive(subject);
}

// One subscription more or less.
void count_permissions(LoopPlain& plain, const Subscription& subscription, int change) {
  const auto more = static_cast<std::uint32_t>(change);  // wraps to a subtraction
  const base::Ref<const account::PermissionSet>& set = subscription.port->principal().permissions;
  const ShadowView* const view = subscription.view();
  if (!set && (view == nullptr || view->is_exact())) {
    plain.unrestricted += more;
    return;
  }
  if (plain.restricted == nullptr) {
    plain.restricted = std::make_unique<std::vector<LoopPlain::Restricted>>();
  }
  auto& all = *plain.restricted;
  auto found = std::find_if(all.begin(), all.end(), [&set, view](const auto& restricted) {
    return restricted.set == set && restricted.view.get() == view;
  });
  if (found == all.end()) {
    all.push_back({set, base::Ref<const ShadowView>(view), 0});
    found = all.end() - 1;
  }
  found->subscriptions += more;
  if (found->subscriptions == 0) all.erase(found);
  if (all.empty()) plain.restricted.reset();
}

}  // namespace

bool LoopPlain::may_receive(std::string_view subject) const {
  if (unrestricted != 0 || restricted == nullptr) return true;
  return std::any_of(restricted->begin(), restricted->end(), [subject](const auto& some) {
    return may_receive_as(some.set.get(), some.view.get(), subject);
  });
}

bool QueueMember::may_receive(std::string_view subject) const {
  return may_receive_as(permissions.get(), view.get(), subject);
}

// All readers' locks, in loop order.
class Interest::WriterLock {
 public:
  explicit WriterLock(const Interest& interest) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : interest_(interest) {
    for (std::size_t i = 0; i < interest_.loops_; ++i) interest_.locks_[i].mutex.lock();
  }
  ~WriterLock() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (std::size_t i = interest_.loops_; i-- > 0;) interest_.locks_[i].mutex.unlock();
  }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  const Interest& interest_;
};

Interest::Interest(base::Ref<const account::Account> account, Generations& generations,
                   std::size_t loops)
    : account_(std::move(account)),
      generations_(generations),
      locks_(std::make_unique<ReaderLock[]>(loops)),
      loops_(loops) {}

std::uint64_t Interest::hash(std::string_view subject) const {
  return absl::HashOf(account_->id, subject);
}

Stamp Interest::stamp(std::string_view subject, std::uint64_t hash_of_subject) const {
  Stamp stamp;
  stamp.slots = {&generations_.literal(hash_of_subject),
                 &generations_.prefix(hash(subject::first_token(subject))),
                 &generations_.pair(hash(subject::first_two_tokens(subject))), &wild_, &settings_};
  stamp.sum = stamp.read();
  return stamp;
}

Generations::Slot& Interest::generation_of(const subject::Filter& filter) {
  if (filter.is_literal()) return generations_.literal(hash(filter.literal_text()));
  if (filter[0].kind != subject::TokenKind::literal) return wild_;
  if (filter[1].kind != subject::TokenKind::literal) {
    return generations_.prefix(hash(filter[0].text));
  }
  std::string both(filter[0].text);
  both += subject::separator;
  both += filter[1].text;
  return generations_.pair(hash(both));
}

void Interest::bump(const FilterEntry& entry) {
  entry.generation->fetch_add(1, std::memory_order_acq_rel);
}

std::uint64_t Interest::add(Subscription& subscription, const base::Ref<Gate>& gate,
                            const subject::Filter& filter, std::string_view queue) {
  const WriterLock lock(*this);
  subject::Place& place = tree_.enter(filter);
  FilterEntry& entry = tree_.at(place);
  if (entry.place == nullptr) {
    entry.place = &place;
    entry.generation = &generation_of(filter);
  }
  subscription.entry = &entry;
  if (queue.empty()) {
    link_plain(entry, subscription);
  } else {
    link_member(entry, subscription, gate, queue);
  }
  subscriptions_.fetch_add(1, std::memory_order_relaxed);
  inserted_.fetch_add(1, std::memory_order_relaxed);
  bump(entry);
  return watching_.load(std::memory_order_relaxed);  // behind the link, and under all locks
}

void Interest::remove(Subscription& subscription) {
  const WriterLock lock(*this);
  FilterEntry& entry = *subscription.entry;
  if (subscription.group == nullptr) {
    unlink_plain(entry, subscription);
  } else {
    unlink_member(entry, subscription);
  }
  subscriptions_.fetch_sub(1, std::memory_order_relaxed);
  bump(entry);
  if (entry.unused()) tree_.erase(*entry.place);
}

void Interest::touch(const FilterEntry& entry) {
  const WriterLock lock(*this);
  bump(entry);
}

bool Interest::listens(base::LoopId reader, std::string_view subject,
                       std::string_view group) const {
  const base::MutexLock lock(locks_[reader].mutex);
  const FilterEntry* entry = tree_.find_literal(subject);
  if (entry == nullptr) return false;
  if (group.empty()) return !entry->plain.empty();
  return entry->groups != nullptr &&
         std::any_of(entry->groups->begin(), entry->groups->end(),
                     [group](const auto& each) { return each->name == group; });
}

void Interest::set_watched(base::LoopId loop, bool watched) {
  const std::uint64_t bit = std::uint64_t{1} << loop;
  const base::MutexLock lock(locks_[loop].mutex);
  if (watched) {
    watching_.fetch_or(bit, std::memory_order_relaxed);
  } else {
    watching_.fetch_and(~bit, std::memory_order_relaxed);
  }
}

void Interest::set_mappings(base::Ref<const Mappings> mappings) {
  if (mappings && mappings->empty()) mappings = nullptr;
  const WriterLock lock(*this);
  mappings_ = std::move(mappings);
  has_mappings_.store(static_cast<bool>(mappings_), std::memory_order_release);
  settings_.fetch_add(1, std::memory_order_acq_rel);
}

base::Ref<const Mappings> Interest::mappings(base::LoopId reader) const {
  const base::MutexLock lock(locks_[reader].mutex);
  return mappings_;
}

void Interest::set_stream_imports(base::Ref<const StreamImports> imports) {
  const WriterLock lock(*this);
  imports_ = std::move(imports);
  has_imports_.store(imports_ && !imports_->list().empty(), std::memory_order_release);
}

base::Ref<const StreamImports> Interest::stream_imports(base::LoopId reader) const {
  const base::MutexLock lock(locks_[reader].mutex);
  return imports_;
}

void Interest::link_plain(FilterEntry& entry, Subscription& subscription) {
  const base::LoopId loop = base::loop_of(subscription.id);
  auto list = std::find_if(entry.plain.begin(), entry.plain.end(),
                           [loop](const LoopPlain& plain) { return plain.loop == loop; });
  if (list == entry.plain.end()) {
    entry.plain.emplace_back().loop = loop;  // not moved in: g++ 12 warns falsely
    list = entry.plain.end() - 1;
  }
  subscription.position = static_cast<std::uint32_t>(list->subscriptions.size());
  list->subscriptions.push_back(&subscription);
  if (subscription.durable) list->durable = (list->durable + 1) & max_durable;
  count_permissions(*list, subscription, 1);
}

void Interest::unlink_plain(FilterEntry& entry, Subscription& subscription) {
  const base::LoopId loop = base::loop_of(subscription.id);
  const auto list = std::find_if(entry.plain.begin(), entry.plain.end(),
                                 [loop](const LoopPlain& plain) { return plain.loop == loop; });
  BASE_ASSERT(list != entry.plain.end());
  auto& all = list->subscriptions;
  all[subscription.position] = all.back();
  all[subscription.position]->position = subscription.position;
  all.pop_back();
  if (subscription.durable) list->durable = (list->durable - 1) & max_durable;
  count_permissions(*list, subscription, -1);
  if (all.empty()) entry.plain.erase(list);
}

void Interest::link_member(FilterEntry& entry, Subscription& subscription,
                           const base::Ref<Gate>& gate, std::string_view queue) {
  if (entry.groups == nullptr) entry.groups = std::make_unique<FilterEntry::Groups>();
  auto group = find_group(entry, queue);
  if (group == entry.groups->end() || (*group)->name != queue) {
    group = entry.groups->insert(group,
                                 std::make_unique<QueueGroup>(QueueGroup{std::string(queue), {}}));
  }
  auto& members = (*group)->members;
  subscription.group = group->get();
  subscription.position = static_cast<std::uint32_t>(members.size());
  members.push_back({subscription.id, gate, subscription.port->principal().permissions,
                     &subscription, base::Ref<const ShadowView>(subscription.view())});
}

void Interest::unlink_member(FilterEntry& entry, Subscription& subscription) {
  auto& members = subscription.group->members;
  members[subscription.position] = members.back();
  members[subscription.position].subscription->position = subscription.position;
  members.pop_back();
  if (!members.empty()) return;
  const auto group = find_group(entry, subscription.group->name);
  BASE_ASSERT(group != entry.groups->end() && group->get() == subscription.group);
  entry.groups->erase(group);
  if (entry.groups->empty()) entry.groups.reset();
}

}  // namespace spanwire::bus
