// An account's JetStream on one loop: its seat on the bus there, and the work that a turn gathers
// for its streams.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/random.h"
#include "crypto/nuid.h"
#include "jetstream/seat.h"
#include "jetstream/settings.h"
#include "wire/services.h"

namespace spanwire::jetstream {

// Something that has work for the end of a turn.
class Served {
 public:
  // Does a slice of it, of at most about a millisecond; may publish. True: there is more.
  virtual bool serve() = 0;

  // The branch's: returns what it was before.
  bool set_marked(bool marked) { return std::exchange(marked_, marked); }

 protected:
  ~Served() = default;

 private:
  bool marked_ = false;
};

// Lives on its loop, longer than everything that it serves.
class Branch final : public bus::TurnEnd {
 public:
  // `stored_after` is its loop's.
  Branch(wire::Services& services, const Settings& settings, Usage& usage,
         base::Histogram& stored_after, base::Ref<const account::Principal> principal,
         std::uint64_t seed);
  ~Branch();

  wire::Services& services() { return services_; }
  base::Loop& loop() { return services_.loop(); }
  base::WallTime now() { return services_.loop().wall_now(); }
  Seat& seat() { return seat_; }
  const Settings& settings() const { return settings_; }
  Usage& usage() { return usage_; }
  // From the turn that took a message to its acknowledgement.
  base::Histogram& stored_after() { return stored_after_; }
  const account::Account& account() const { return *principal_->account; }
  base::Random& random() { return random_; }
  std::string next_id() { return ids_.next(); }

  // Calls serve() at the end of this turn, once however often it was asked.
  void mark(Served& served);
  void forget(Served& served);

  // What a requester hears when nobody is there (503), said at the end of the turn: may be called
  // inside on_heard().
  void say_nobody(std::string_view reply, std::string_view subject);
  // Publishes a JSON event if anybody listens.
  void advise(std::string_view subject, std::string_view json);

  void on_turn_end() override;

 private:
  wire::Services& services_;
  const Settings& settings_;
  Usage& usage_;
  base::Histogram& stored_after_;
  base::Ref<const account::Principal> principal_;
  Seat seat_;
  base::Random random_;
  crypto::NuidSource ids_;
  std::vector<std::pair<std::string, std::string>> nobody_;  // reply, headers
  std::vector<Served*> marked_;
  bool ending_ = false;
  std::vector<Served*> serving_;  // those that on_turn_end() goes through; null: forgotten
};

}  // namespace spanwire::jetstream
