#include "bridges/kit/retained.h"

#include <algorithm>
#include <optional>

namespace spanwire::kit {
namespace {

// What an entry costs beside its message: a node of the map.
constexpr std::size_t entry_bytes = 112;
// Entries compared in one step of a loop: 50 to 200 ns each keep it well below a millisecond.
constexpr std::size_t slice_entries = 2000;

std::size_t cost(const RetainedMessage& message) {
  return message.message->size_bytes() + entry_bytes;
}

// The literal tokens at the front of a filter.
std::string literal_prefix(const subject::Filter& filter) {
  std::string prefix;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i].kind != subject::TokenKind::literal) break;
    if (i != 0) prefix += subject::separator;
    prefix += filter[i].text;
  }
  return prefix;
}

}  // namespace

// One question on its way through the store, filter by filter.
struct Retained::Lookup {
  base::AccountId account = 0;
  base::LoopId asker = 0;
  std::vector<subject::Filter> filters;
  base::Done<RetainedAnswer> done;
  std::optional<ValueQuery> newest;  // only the newest that it fits is wanted

  std::size_t filter = 0;  // the present one
  bool begun = false;
  std::string parent;  // of its wildcards: the one subject outside the range that may match
  std::string prefix;  // of the subjects of its range
  std::string next;    // where the range goes on
  RetainedAnswer answer;

  const subject::Filter& present() const { return filters[filter]; }
  // A message that an earlier filter matches is in the answer already.
  bool is_new(std::string_view subject) const {
    return std::none_of(filters.begin(), filters.begin() + static_cast<std::ptrdiff_t>(filter),
                        [&](const auto& earlier) { return matches(earlier, subject); });
  }
  void add(const Messages::value_type& entry) {
    if (newest) return add_newest(entry);
    if (matches(present(), entry.first) && is_new(entry.first)) answer.push_back(entry.second);
  }
  void add_newest(const Messages::value_type& entry) {
    if (!answer.empty() && answer.front().arrival > entry.second.arrival) return;
    if (newest->fits(entry.first)) answer.assign(1, entry.second);
  }
};

void append_counts(const RetainedStats& stats, std::vector<wire::Count>& counts) {
  counts.insert(counts.end(), {{"retained_messages", stats.messages.get()},
                               {"retained_bytes", stats.bytes.get()},
                               {"retained_refused", stats.refused.get()},
                               {"retained_not_stored", stats.not_stored.get()},
                               {"retained_changed", stats.changed.get()},
                               {"retained_lookups", stats.lookups.get()},
                               {"replay_overflows", stats.overflows.get()},
                               {"replay_untracked", stats.untracked.get()}});
}

base::LoopId Retained::home(base::AccountId account) const {
  return services_.home(account, "retained");
}

void Retained::set(const bus::Port& port, const bus::MessageView& message,
                   base::Done<Retention> done) {
  RetainedMessage kept{message.keep(), message.origin};
  kept.origin.port = port.id();
  kept.origin.number = port.last_number();
  const base::AccountId account = port.principal().account->id;
  const base::LoopId there = home(account);
  if (done) {
    done = [stores = &stores_, there, here = services_.loop().id(),
            done = std::move(done)](Retention result) mutable {
      stores->of(there).services_.post(
          here, [result, done = std::move(done)]() mutable { done(result); });
    };
  }
  services_.post(there, [stores = &stores_, there, account, kept = std::move(kept),
                         done = std::move(done)]() mutable {
    Retained& store = stores->of(there);
    store.set_here(store.account(account), std::move(kept), std::move(done));
  });
}

// Opened at first use.
Retained::Account& Retained::account(base::AccountId id) {
  std::unique_ptr<Account>& account = accounts_[id];
  if (account != nullptr) return *account;
  account = std::make_unique<Account>(*this);
  if (auto client = services_.streams(id)) {
    account->state = Account::State::loading;
    account->bucket = std::make_unique<RetainedBucket>(services_, std::move(client), *account);
  }
  return *account;
}

void Retained::set_here(Account& account, RetainedMessage message, base::Done<Retention> done) {
  if (account.state == Account::State::loading && account.waiting.size() < limits_.max_waiting) {
    account.waiting.push_back(
        [this, &account, message = std::move(message), done = std::move(done)]() mutable {
          set_here(account, std::move(message), std::move(done));
        });
    return;
  }
  if (account.state != Account::State::ready) {
    stats_.not_stored.add();
    if (done) done(Retention::unknown);
    return;
  }
  const base::Ref<const bus::Message> counted = message.message;
  const bus::MessageView view = counted->view(message.origin);
  const bool known = account.messages.contains(view.route);
  const Retention result = keep(account, std::move(message));
  if (account.bucket != nullptr && (known || result == Retention::kept)) {
    return keep_durably(account, view, result, std::move(done));
  }
  if (done) done(result);
}

// What a limit refuses here is removed there: what was kept before is outdated.
void Retained::keep_durably(Account& account, const bus::MessageView& message, Retention result,
                            base::Done<Retention> done) {
  bus::MessageView stored = message;
  if (result == Retention::refused) stored.payload = {};
  account.bucket->put(
      stored, [&account, result, subject = std::string(message.route), number = account.arrivals,
               done = std::move(done)](Retention retention) mutable {
        const bool failed = retention == Retention::refused || retention == Retention::unknown;
        if (failed) account.retained.stats_.not_stored.add();
        if (retention == Retention::refused) account.retained.erase(account, subject, number);
        if (done) done(failed ? retention : result);
      });
}

Retention Retained::keep(Account& account, RetainedMessage message) {
  const std::string_view subject = message.view().route;
  const auto found = account.messages.find(subject);
  if (found != account.messages.end()) erase(account, found);
  if (message.view().payload.empty()) return Retention::deleted;
  const std::size_t size = cost(message);
  if (!fits(account, size)) {
    stats_.refused.add();
    return Retention::refused;
  }
  account.bytes += size;
  message.arrival = ++account.arrivals;
  stats_.messages.add();
  stats_.bytes.add(size);
  account.messages.emplace(subject, std::move(message));
  return Retention::kept;
}

void Retained::Account::on_value(const std::string& subject, base::Ref<const bus::Message> message,
                                 std::uint8_t qos) {
  if (state == State::ready) retained.stats_.changed.add();
  if (message) {
    bus::Origin origin;
    origin.qos = qos;
    origin.retain = true;
    retained.keep(*this, {std::move(message), origin});
  } else if (const auto found = messages.find(subject); found != messages.end()) {
    retained.erase(*this, found);
  }
}

void Retained::Account::on_loaded() {
  state = State::ready;
  for (base::Task& task : std::exchange(waiting, {})) task();
}

void Retained::Account::on_lost() {
  state = State::lost;
  retained.erase_all(*this);
  for (base::Task& task : std::exchange(waiting, {})) task();
}

// Only if it has not been replaced since.
void Retained::erase(Account& account, const std::string& subject, std::uint64_t arrival) {
  const auto found = account.messages.find(subject);
  if (found != account.messages.end() && found->second.arrival == arrival) erase(account, found);
}

void Retained::erase_all(Account& account) {
  while (!account.messages.empty()) erase(account, account.messages.begin());
}

bool Retained::fits(const Account& account, std::size_t size) const {
  return account.messages.size() < limits_.max_messages &&
         account.bytes + size <= limits_.max_bytes;
}

void Retained::erase(Account& account, Messages::iterator found) {
  const std::size_t size = cost(found->second);
  account.bytes -= size;
  stats_.messages.subtract(1);
  stats_.bytes.subtract(size);
  account.messages.erase(found);
}

void Retained::get(base::AccountId account, std::string_view subject,
                   base::Done<RetainedAnswer> done) {
  std::vector<subject::Filter> filters;
  filters.push_back(subject::literal_filter(subject));
  get(account, std::move(filters), std::move(done));
}

void Retained::get(base::AccountId account, std::vector<subject::Filter> filters,
                   base::Done<RetainedAnswer> done) {
  auto lookup = std::make_unique<Lookup>();
  lookup->account = account;
  lookup->filters = std::move(filters);
  lookup->done = std::move(done);
  ask(std::move(lookup));
}

void Retained::get_newest(ValueQuery query, base::Done<RetainedMessage> done) {
  auto lookup = std::make_unique<Lookup>();
  lookup->account = query.account;
  lookup->filters.push_back(query.filter);
  lookup->newest = std::move(query);
  lookup->done = [done = std::move(done)](RetainedAnswer answer) mutable {
    done(answer.empty() ? RetainedMessage() : std::move(answer.front()));
  };
  ask(std::move(lookup));
}

void Retained::ask(std::unique_ptr<Lookup> lookup) {
  lookup->asker = services_.loop().id();
  const base::LoopId there = home(lookup->account);
  services_.post(there, [stores = &stores_, there, lookup = std::move(lookup)]() mutable {
    Retained& store = stores->of(there);
    store.stats_.lookups.add();
    Account& account = store.account(lookup->account);
    if (account.state != Account::State::loading) return store.look_up(std::move(lookup));
    account.waiting.push_back(
        [&store, lookup = std::move(lookup)]() mutable { store.look_up(std::move(lookup)); });
  });
}

// One slice; the next one waits for its turn behind what has arrived meanwhile.
void Retained::look_up(std::unique_ptr<Lookup> lookup) {
  scan(*lookup);
  const bool finished = lookup->filter == lookup->filters.size();
  const base::LoopId next = finished ? lookup->asker : services_.loop().id();
  services_.post(next, [this, finished, lookup = std::move(lookup)]() mutable {
    if (finished) {
      lookup->done(std::move(lookup->answer));
    } else {
      look_up(std::move(lookup));
    }
  });
}

// Where a filter looks: at one subject if it is literal; else at those that begin as it does.
void Retained::begin_filter(Lookup& lookup) {
  const subject::Filter& filter = lookup.present();
  lookup.begun = true;
  lookup.parent = literal_prefix(filter);
  lookup.prefix = lookup.parent;
  if (!lookup.prefix.empty()) lookup.prefix += subject::separator;
  lookup.next = lookup.prefix;
}

void Retained::scan(Lookup& lookup) const {
  const auto account = accounts_.find(lookup.account);
  if (account == accounts_.end()) {
    lookup.filter = lookup.filters.size();
    return;
  }
  const Messages& messages = account->second->messages;
  std::size_t work = 0;
  while (lookup.filter < lookup.filters.size()) {
    if (!lookup.begun) {
      begin_filter(lookup);
      const auto parent = messages.find(lookup.parent);
      if (parent != messages.end()) lookup.add(*parent);
    }
    auto entry = lookup.present().is_literal() ? messages.end() : messages.lower_bound(lookup.next);
    for (; entry != messages.end() && entry->first.starts_with(lookup.prefix); ++entry) {
      if (work >= slice_entries) {
        lookup.next = entry->first;
        return;
      }
      lookup.add(*entry);
      work += 1 + lookup.filter;
    }
    lookup.begun = false;
    ++lookup.filter;
    work += lookup.filter;
    if (work >= slice_entries) return;
  }
}

Retained& RetainedStores::open(wire::Services& services) {
  auto& retained = all_[services.loop().id()];
  if (retained == nullptr) retained = std::make_unique<Retained>(*this, services, limits_);
  return *retained;
}

}  // namespace spanwire::kit
