// Retained messages: the last message of each subject that was published to be kept. A bounded
// store for each account that every wire shares. It lives on the account's home loop; the others
// reach it by message. Where the account has streams, what it holds in memory is a copy of a bucket
// on the disk (retained_bucket.h), and questions wait until that is read.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/done.h"
#include "base/ids.h"
#include "bridges/kit/retained_bucket.h"
#include "bridges/kit/retained_message.h"
#include "bridges/kit/value_query.h"
#include "bus/message.h"
#include "bus/port.h"
#include "subject/filter.h"
#include "wire/services.h"
#include "wire/wire.h"

namespace spanwire::kit {

// Of one account. Bytes are those of the messages with what the store adds to each.
struct RetainedLimits {
  std::size_t max_messages = 1'000'000;
  std::size_t max_bytes = 256U << 20;
  // That wait until the bucket is read; more are not kept.
  std::size_t max_waiting = 4096;
};

// What the loop's part of all stores holds and has done.
struct RetainedStats {
  base::Counter messages;
  base::Counter bytes;
  base::Counter refused;     // by a limit
  base::Counter not_stored;  // the store has failed, or was not ready
  base::Counter changed;     // by others, in the bucket
  base::Counter lookups;
  base::Counter overflows;  // replays that had to stop holding live messages
  base::Counter untracked;  // retained messages of such a replay that may be sent twice
};

// For the wires that use the stores: the same figures under the same names in each.
void append_counts(const RetainedStats& stats, std::vector<wire::Count>& counts);

class RetainedStores;

// The door to the retained messages, one a loop, where it is used.
class Retained {
 public:
  Retained(const RetainedStores& stores, wire::Services& services, RetainedLimits limits)
      : stores_(stores), services_(services), limits_(limits) {}
  Retained(const Retained&) = delete;
  Retained& operator=(const Retained&) = delete;

  // Keeps the message that `port` routed last, or deletes with an empty payload. Call it right
  // after Port::route(), never inside on_message: the store's order is then the publisher's, and a
  // subscriber whose fence has passed finds what it did not get live. `done` is called when it is
  // on the disk, where the account has streams.
  void set(const bus::Port& port, const bus::MessageView& message,
           base::Done<Retention> done = nullptr);
  // All messages that one of the filters matches, each once, in the order of their subjects. Each
  // is its subject's at some time during the call.
  void get(base::AccountId account, std::vector<subject::Filter> filters,
           base::Done<RetainedAnswer> done);
  // One subject's: no message or one.
  void get(base::AccountId account, std::string_view subject, base::Done<RetainedAnswer> done);

  // The one that arrived last of those that the query fits; without a message if there is none.
  void get_newest(ValueQuery query, base::Done<RetainedMessage> done);

  void note_overflow() { stats_.overflows.add(); }
  void note_untracked() { stats_.untracked.add(); }
  const RetainedStats& stats() const { return stats_; }
  wire::Services& services() { return services_; }

 private:
  // By subject, which lies in the message.
  using Messages = std::map<std::string_view, RetainedMessage>;
  // Whose home this loop is.
  struct Account final : RetainedBucket::Owner {
    explicit Account(Retained& its) : retained(its) {}
    void on_value(const std::string& subject, base::Ref<const bus::Message> message,
                  std::uint8_t qos) override;
    void on_loaded() override;
    void on_lost() override;

    Retained& retained;
    Messages messages;
    std::size_t bytes = 0;
    std::uint64_t arrivals = 0;
    std::unique_ptr<RetainedBucket> bucket;  // none: in memory alone
    enum class State : std::uint8_t { ready, loading, lost } state = State::ready;
    std::vector<base::Task> waiting;  // until it is loaded, or has failed to be
  };
  struct Lookup;

  base::LoopId home(base::AccountId account) const;
  Account& account(base::AccountId id);
  void set_here(Account& account, RetainedMessage message, base::Done<Retention> done);
  Retention keep(Account& account, RetainedMessage message);
  static void keep_durably(Account& account, const bus::MessageView& message, Retention result,
                           base::Done<Retention> done);
  void erase(Account& account, Messages::iterator found);
  void erase(Account& account, const std::string& subject, std::uint64_t arrival);
  void erase_all(Account& account);
  bool fits(const Account& account, std::size_t size) const;
  void ask(std::unique_ptr<Lookup> lookup);
  void look_up(std::unique_ptr<Lookup> lookup);
  void scan(Lookup& lookup) const;
  static void begin_filter(Lookup& lookup);

  const RetainedStores& stores_;
  wire::Services& services_;
  RetainedLimits limits_;
  absl::flat_hash_map<base::AccountId, std::unique_ptr<Account>> accounts_;
  RetainedStats stats_;
};

// The Retained of every loop; outlives the bridges that use it.
class RetainedStores {
 public:
  explicit RetainedStores(RetainedLimits limits = {}) : limits_(limits) {}
  RetainedStores(const RetainedStores&) = delete;
  RetainedStores& operator=(const RetainedStores&) = delete;

  // For a wire that starts on a loop, the same one for all wires. Every loop has one before any
  // loop runs.
  Retained& open(wire::Services& services);
  Retained& of(base::LoopId loop) const { return *all_[loop]; }

 private:
  RetainedLimits limits_;
  std::array<std::unique_ptr<Retained>, base::max_loops> all_;
};

}  // namespace spanwire::kit
