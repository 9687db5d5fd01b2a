// Several logs on one disk, random work on them, and the power goes at any moment: what comes back
// is what was said up to some commit, and never less than what was acknowledged.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/captured_log.h"
#include "tests/support/seeds.h"
#include "tests/support/store_world.h"

using namespace spanwire;
using store::Sequence;

namespace {

// All that a log holds.
struct State {
  std::map<Sequence, std::string> messages;  // subject, headers and payload
  std::map<std::uint32_t, std::string> notes;
  Sequence last = 0;
  friend bool operator==(const State&, const State&) = default;
};

std::string words_of(const store::Message& message) {
  return std::string(message.subject) + '|' + std::string(message.headers) + '|' +
         std::string(message.payload);
}

// A stream, with what it should hold.
class Stream final : public store::Log::Owner {
 public:
  explicit Stream(std::string path) : path_(std::move(path)) {}

  void on_committed(store::Ticket ticket, const base::Status& status) override {
    if (!status) return;
    while (!waiting_.empty() && waiting_.front().first <= ticket) {
      acknowledged_ = std::move(waiting_.front().second);
      waiting_.pop_front();
      doubtful_.clear();
    }
    CHECK(log->totals().last == acknowledged_.last);
    CHECK(log->totals().messages == acknowledged_.messages.size());
  }
  void restore(std::string_view words) override {
    for (std::size_t at = 0; at < words.size();) {
      const auto kind = static_cast<std::uint32_t>(words[at]);
      const auto size = static_cast<std::size_t>(words[at + 1]);
      replay_note(kind, words.substr(at + 2, size));
      at += 2 + size;
    }
    restored = true;
  }
  void replay_message(const store::Message& message) override {
    CHECK(ahead.messages.emplace(message.sequence, words_of(message)).second);
  }
  void replay_erased(Sequence sequence) override {
    // After a snapshot the owner is told of messages that it never saw replayed.
    CHECK(ahead.messages.erase(sequence) + (restored ? 1 : 0) >= 1);
  }
  void replay_note(std::uint32_t kind, std::string_view note) override {
    if (note.empty()) {
      ahead.notes.erase(kind);
    } else {
      ahead.notes[kind] = note;
    }
  }
  void repeat_notes() override {
    for (const auto& [kind, note] : ahead.notes) log->note(kind, note);
  }
  std::string state() const override {
    std::string words;
    for (const auto& [kind, note] : ahead.notes) {
      words += static_cast<char>(kind);
      words += static_cast<char>(note.size());
      words += note;
    }
    return words;
  }

  void say_something(base::Random& random) {
    if (log->failed() != nullptr) return;
    switch (random.below(12)) {
      case 0:
        return erase(some_sequence(random));
      case 1:
        return erase_through(random);
      case 2:
      case 3:
        return say_note(random);
      default:
        return append(random);
    }
  }
  void commit() {
    const store::Ticket ticket = log->commit();
    if (log->failed() == nullptr) waiting_.emplace_back(ticket, ahead);
  }
  void read_something(base::Random& random) {
    const Sequence sequence = some_sequence(random);
    store::Message message;
    const store::Read read = log->read(sequence, message);
    const auto known = acknowledged_.messages.find(sequence);
    CHECK(read != store::Read::damaged);
    CHECK((read == store::Read::gone) == (known == acknowledged_.messages.end()));
    if (read == store::Read::found && known != acknowledged_.messages.end()) {
      CHECK(words_of(message) == known->second);
    }
    if (read == store::Read::later) log->fetch(sequence, [] {});
  }

  // What is there now, after opening it again, is one of the states that may be.
  void check_recovered(test::StoreWorld& world) {
    State found = {.messages = {}, .notes = ahead.notes, .last = log->totals().last};
    for (Sequence sequence = log->totals().first; sequence <= found.last; ++sequence) {
      store::Message message;
      store::Read read = log->read(sequence, message);
      if (read == store::Read::later) {
        log->fetch(sequence, [] {});
        world.settle();
        read = log->read(sequence, message);
      }
      if (read == store::Read::gone) continue;
      REQUIRE(read == store::Read::found);
      found.messages[sequence] = words_of(message);
      CHECK(log->subject_of(sequence) == message.subject);
    }
    if (!restored) CHECK(ahead.messages == found.messages);
    bool known = found == acknowledged_;
    for (const auto& [ticket, state] : waiting_) known = known || found == state;
    for (const State& state : doubtful_) known = known || found == state;
    CHECK(known);
    CHECK(log->footprint().damaged == 0);
    waiting_.clear();
    doubtful_.clear();
    acknowledged_ = found;
    ahead = std::move(found);
  }
  // Before it is opened again.
  void forget_log() {
    log = nullptr;
    held.reset();
    ahead = {};
    restored = false;
  }
  // After a failure in a process that goes on, what was not acknowledged may still be on the disk.
  void doubt() {
    for (auto& [ticket, state] : waiting_) doubtful_.push_back(std::move(state));
    waiting_.clear();
  }
  const std::string& path() const { return path_; }
  const State& acknowledged() const { return acknowledged_; }
  std::vector<State> take_doubtful() { return std::exchange(doubtful_, {}); }
  void keep_doubtful(std::vector<State> states) { doubtful_ = std::move(states); }

  store::Log* log = nullptr;
  std::unique_ptr<store::Log> held;
  State ahead;
  bool restored = false;

 private:
  Sequence some_sequence(base::Random& random) const {
    return 1 + random.below(static_cast<std::uint32_t>(ahead.last + 2));
  }
  void append(base::Random& random) {
    const std::string subject = "s." + std::to_string(random.below(8));
    const std::string headers(random.below(4) == 0 ? random.below(40) : 0, 'h');
    const std::size_t size = random.below(20) == 0 ? random.below(5000) : random.below(200);
    const std::string payload = std::to_string(random.next()) + std::string(size, 'p');
    const store::Appending message = {.subject = subject, .headers = headers, .payload = payload};
    const bool replaces = random.below(2) == 0;
    const Sequence older = replaces ? log->ahead_of(subject).last : 0;
    const Sequence sequence = log->append(message);
    CHECK(sequence == ahead.last + 1);
    ahead.last = sequence;
    ahead.messages[sequence] = subject + '|' + headers + '|' + payload;
    if (older != 0) erase(older);
  }
  void erase(Sequence sequence) {
    CHECK(log->erase(sequence) == (ahead.messages.erase(sequence) == 1));
  }
  void erase_through(base::Random& random) {
    const bool beyond = random.below(10) == 0;
    const Sequence last = beyond ? ahead.last + random.below(5) : some_sequence(random) / 2;
    while (!log->erase_through(last)) commit();
    ahead.messages.erase(ahead.messages.begin(), ahead.messages.upper_bound(last));
    ahead.last = std::max(ahead.last, last);
  }
  void say_note(base::Random& random) {
    const std::uint32_t kind = 1 + random.below(5);
    const std::string note(random.below(30), 'n');
    log->note(kind, note);
    replay_note(kind, note);
  }

  const std::string path_;
  State acknowledged_;
  std::deque<std::pair<store::Ticket, State>> waiting_;
  std::vector<State> doubtful_;  // of before a failure, not acknowledged then
};

store::Settings small_settings() {
  store::Settings settings;
  settings.journal_bytes = store::Journal::min_bytes;
  settings.segment_first_bytes = 2048;
  settings.segment_bytes = 8192;
  settings.journalled_bytes = 2048;
  return settings;
}

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed), failing_(seed % 4 == 0) {
    REQUIRE(world_.open());
    for (int number = 1; number <= 3; ++number) {
      streams_.push_back(std::make_unique<Stream>("streams/" + std::to_string(number)));
      Stream& stream = *streams_.back();
      stream.held = world_.create(stream);
      stream.log = stream.held.get();
    }
  }

  void run() {
    for (int cuts = 0; cuts < 4; ++cuts) {
      world_.disk.set_cold(random_.below(2) == 0);
      if (failing_) fail_sometimes();
      if (random_.below(2) == 0) world_.disk.cut_at(world_.disk.changes() + random_.below(300));
      const std::uint32_t steps = 50 + random_.below(600);
      for (std::uint32_t i = 0; i < steps && !world_.disk.is_off(); ++i) step();
      if (random_.below(2) == 0) restart();
      cut();
    }
  }

 private:
  void fail_sometimes() {
    auto countdown = std::make_shared<std::uint32_t>(random_.below(400));
    world_.disk.decide([countdown](test::Call call, std::string_view path) {
      const bool concerned = call == test::Call::write || call == test::Call::sync;
      if (!concerned || !path.ends_with(".seg")) return test::Outcome::fine;
      return (*countdown)-- == 0 ? test::Outcome::fails : test::Outcome::fine;
    });
  }

  void step() {
    Stream& stream = *streams_[random_.below(3)];
    if (stream.log == nullptr) return;
    if (stream.log->failed() != nullptr) return reopen(stream);
    switch (random_.below(10)) {
      case 0:
      case 1:
        stream.commit();
        break;
      case 2:
        world_.loop.set_now(world_.loop.now() + std::chrono::milliseconds(random_.below(200)));
        world_.loop.run_timers();
        world_.loop.run_posted();
        break;
      case 3:
        world_.workers.step();
        break;
      case 4:
        world_.committer().step();
        break;
      case 5:
        world_.helpers.run_one(random_);
        break;
      case 6:
        stream.read_something(random_);
        break;
      default:
        stream.say_something(random_);
    }
  }

  // In the same process, while other streams go on.
  void reopen(Stream& stream) {
    world_.loop.run_posted();
    stream.doubt();
    std::vector<State> doubtful = stream.take_doubtful();
    stream.forget_log();
    auto recovered = world_.recover(stream, stream.path());
    if (!recovered || world_.disk.is_off()) {
      CHECK(world_.disk.is_off());
      stream.forget_log();
      stream.keep_doubtful(std::move(doubtful));
      return;
    }
    stream.held = std::move(*recovered);
    stream.log = stream.held.get();
    // What was refused is gone, and no start brings it back.
    stream.check_recovered(world_);
  }

  // As an operator does: what follows may come upon a snapshot that is older than the log.
  void restart() {
    for (const auto& stream : streams_) {
      if (stream->log == nullptr) continue;
      stream->commit();
      stream->log->close([] {});
    }
    world_.settle();
    if (world_.disk.is_off()) return;
    for (const auto& stream : streams_) stream->forget_log();
    world_.close();
    world_.disk.decide({});
    if (!try_open()) {
      CHECK(world_.disk.is_off());
      return;
    }
    for (const auto& stream : streams_) {
      auto recovered = world_.recover(*stream, stream->path());
      if (!recovered || world_.disk.is_off()) {
        CHECK(world_.disk.is_off());
        stream->forget_log();
        return;
      }
      stream->held = std::move(*recovered);
      stream->log = stream->held.get();
      stream->check_recovered(world_);
    }
    const std::uint32_t steps = random_.below(400);
    for (std::uint32_t i = 0; i < steps && !world_.disk.is_off(); ++i) step();
  }

  void cut() {
    for (const auto& stream : streams_) stream->forget_log();
    world_.close();
    world_.disk.cut_power(random_);
    // Recovery may be interrupted too, and then begins anew.
    for (int attempts = 0; attempts < 3; ++attempts) {
      if (random_.below(3) != 0) break;
      world_.disk.cut_at(world_.disk.changes() + 1 + random_.below(10));
      if (try_open()) {
        for (const auto& stream : streams_) {
          stream->forget_log();
          static_cast<void>(world_.recover(*stream, stream->path()));
        }
      }
      for (const auto& stream : streams_) stream->forget_log();
      world_.close();
      world_.disk.cut_power(random_);
    }
    REQUIRE(try_open());
    REQUIRE(world_.store().found().size() == streams_.size());
    for (const auto& stream : streams_) {
      auto recovered = world_.recover(*stream, stream->path());
      REQUIRE(recovered);
      stream->held = std::move(*recovered);
      stream->log = stream->held.get();
      stream->check_recovered(world_);
    }
  }
  bool try_open() { return world_.open().has_value(); }

  base::Random random_;
  const bool failing_;
  test::StoreWorld world_{small_settings(), true};
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace

TEST_CASE("power cut: what was acknowledged comes back whole, and nothing else with its numbers") {
  test::CapturedLog captured;
  const test::SeedRange seeds = test::seed_range(200);
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    INFO("seed ", seed);
    Walk(seed).run();
  }
}

TEST_CASE("power cut: a stream that is being made is there wholly or not at all") {
  int told_in_all = 0;
  int committed_in_all = 0;
  for (const bool journalled : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      base::Random random(seed);
      test::StoreWorld world(small_settings(), journalled);
      REQUIRE(world.open());
      const std::uint64_t before = world.disk.changes();
      world.disk.cut_at(before + 1 + seed % 20);
      Stream stream("streams/1");
      bool told = false;
      bool committed = false;
      world.store().create("words", stream, world.loop, [&](auto made) {
        told = made.has_value();
        if (!told) return;
        stream.held = *std::move(made);
        stream.log = stream.held.get();
        const std::string payload(random.below(3000), 'p');
        stream.log->append({.subject = "a", .headers = {}, .payload = payload});
        stream.ahead.last = 1;
        stream.ahead.messages[1] = "a||" + payload;
        stream.commit();
      });
      world.settle();
      committed = stream.acknowledged().last == 1;
      told_in_all += told ? 1 : 0;
      committed_in_all += committed ? 1 : 0;
      stream.forget_log();
      world.close();
      world.disk.cut_power(random);
      REQUIRE(world.open());
      const auto& found = world.store().found();
      CHECK(found.size() <= 1);
      if (told) REQUIRE(found.size() == 1);
      if (found.empty()) continue;
      CHECK(found[0].settings == "words");
      auto recovered = world.recover(stream);
      REQUIRE(recovered);
      stream.held = *std::move(recovered);
      stream.log = stream.held.get();
      stream.check_recovered(world);
      if (committed) CHECK(stream.acknowledged().last == 1);
      stream.forget_log();
      world.close();
    }
  }
  CHECK(told_in_all > 50);
  CHECK(told_in_all < 350);
  CHECK(committed_in_all > 20);
}
