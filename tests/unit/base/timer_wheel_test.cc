#include "base/timer_wheel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/allocations.h"

using namespace spanwire;
using namespace std::chrono_literals;
using base::Duration;
using base::Time;
using base::TimerId;
using base::TimerWheel;

namespace {

constexpr Time epoch = Time(1h);
constexpr std::size_t plenty = 1'000'000;

// When a timer started at `now` has to run: the tick that the header promises.
Time promised(Time now, Duration after) {
  const Duration unit =
      after < TimerWheel::coarse_from ? TimerWheel::tick : TimerWheel::coarse_tick;
  const Duration end = now - epoch + after;
  return epoch + (end + unit - 1ns) / unit * unit;
}

void run_out(TimerWheel& wheel, Time now) {
  while (wheel.advance(now, plenty)) {
  }
}

}  // namespace

TEST_CASE("timer wheel: a timer runs once, at its tick and not before") {
  for (const Duration after : {Duration(1ns), Duration(1ms), Duration(99ms), Duration(100ms),
                               Duration(255ms), Duration(256ms), Duration(257ms), Duration(20s),
                               Duration(1100s), Duration(20h), Duration(60 * 24h)}) {
    for (const Duration offset : {Duration(0), Duration(300us), Duration(250ms), Duration(17min)}) {
      CAPTURE(after.count());
      CAPTURE(offset.count());
      TimerWheel wheel(epoch);
      const Time now = epoch + offset;
      run_out(wheel, now);
      int runs = 0;
      wheel.start(now, after, [&] { ++runs; });
      const Time due = promised(now, after);
      CHECK(due >= now + after);
      CHECK(due < now + after + (after < 100ms ? 1ms : 10ms));
      CHECK(wheel.next_due() == due);
      run_out(wheel, due - 1ns);
      CHECK(runs == 0);
      CHECK(wheel.next_due() == due);
      run_out(wheel, due);
      CHECK(runs == 1);
      CHECK(wheel.next_due() == std::nullopt);
      run_out(wheel, due + 1h);
      CHECK(runs == 1);
    }
  }
}

TEST_CASE("timer wheel: an interval of zero or less waits for the next tick") {
  TimerWheel wheel(epoch);
  int runs = 0;
  wheel.start(epoch, 0ns, [&] { ++runs; });
  wheel.start(epoch, -5s, [&] { ++runs; });
  CHECK_FALSE(wheel.advance(epoch, plenty));
  CHECK(runs == 0);
  CHECK_FALSE(wheel.advance(epoch + 1ms, plenty));
  CHECK(runs == 2);
}

TEST_CASE("timer wheel: an interval beyond the longest is cut to it") {
  TimerWheel wheel(epoch);
  wheel.start(epoch, Duration::max(), [] {});
  CHECK(wheel.next_due() == epoch + TimerWheel::longest);
}

TEST_CASE("timer wheel: a timer started late into a long life keeps its tick") {
  TimerWheel wheel(epoch);
  const Time now = epoch + 24h * 365 * 50 + 123us;
  run_out(wheel, now);
  int runs = 0;
  wheel.start(now, TimerWheel::longest, [&] { ++runs; });
  const Time due = promised(now, TimerWheel::longest);
  run_out(wheel, due - 1ns);
  CHECK(runs == 0);
  run_out(wheel, due);
  CHECK(runs == 1);
}

TEST_CASE("timer wheel: timers of one tick run in the order of their starts, near or far") {
  TimerWheel wheel(epoch);
  std::string order;
  wheel.start(epoch, 1s, [&] { order += 'a'; });
  run_out(wheel, epoch + 700ms);
  wheel.start(epoch + 700ms, 300ms, [&] { order += 'b'; });
  run_out(wheel, epoch + 990ms);
  wheel.start(epoch + 990ms, 10ms, [&] { order += 'c'; });
  wheel.start(epoch + 990ms, 9ms, [&] { order += '0'; });
  run_out(wheel, epoch + 5s);
  CHECK(order == "0abc");
}

TEST_CASE("timer wheel: a cancelled timer does not run, and its callable is gone at once") {
  TimerWheel wheel(epoch);
  auto alive = std::make_shared<int>(0);
  const TimerId id = wheel.start(epoch, 5ms, [alive] { ++*alive; });
  CHECK(alive.use_count() == 2);
  CHECK(wheel.cancel(id));
  CHECK(alive.use_count() == 1);
  CHECK(wheel.size() == 0);
  CHECK_FALSE(wheel.cancel(id));
  run_out(wheel, epoch + 1s);
  CHECK(*alive == 0);
}

TEST_CASE("timer wheel: an id names nothing after its timer has run, though its memory is reused") {
  TimerWheel wheel(epoch);
  const TimerId first = wheel.start(epoch, 1ms, [] {});
  run_out(wheel, epoch + 1ms);
  int runs = 0;
  const TimerId second = wheel.start(epoch + 1ms, 1ms, [&] { ++runs; });
  CHECK(first != second);
  CHECK_FALSE(wheel.cancel(first));
  CHECK_FALSE(wheel.cancel(TimerId::none));
  CHECK_FALSE(wheel.cancel(static_cast<TimerId>(~std::uint64_t{0})));
  run_out(wheel, epoch + 2ms);
  CHECK(runs == 1);
}

TEST_CASE("timer wheel: a task may cancel itself, a neighbour of its tick and start others") {
  TimerWheel wheel(epoch);
  std::string order;
  TimerId self = TimerId::none;
  TimerId neighbour = TimerId::none;
  self = wheel.start(epoch, 3ms, [&] {
    order += 'a';
    CHECK_FALSE(wheel.cancel(self));
    CHECK(wheel.cancel(neighbour));
    wheel.start(epoch + 3ms, 0ns, [&] { order += 'c'; });
  });
  neighbour = wheel.start(epoch, 3ms, [&] { order += 'x'; });
  wheel.start(epoch, 3ms, [&] { order += 'b'; });
  run_out(wheel, epoch + 3ms);
  CHECK(order == "ab");
  run_out(wheel, epoch + 4ms);
  CHECK(order == "abc");
}

TEST_CASE("timer wheel: a task that starts itself again with no delay lets advance end") {
  TimerWheel wheel(epoch);
  int runs = 0;
  std::function<void()> again = [&] {
    ++runs;
    wheel.start(epoch + 50ms, 0ns, again);
  };
  wheel.start(epoch, 1ms, again);
  CHECK_FALSE(wheel.advance(epoch + 50ms, plenty));
  CHECK(runs == 2);  // at 1 ms, and caught up with at 50 ms
  CHECK(wheel.next_due() == epoch + 51ms);
}

TEST_CASE("timer wheel: advance stops at its number of callbacks and says that more is due") {
  TimerWheel wheel(epoch);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i)
    wheel.start(epoch, 1ms + i / 4 * 1ms, [&order, i] { order.push_back(i); });
  CHECK(wheel.advance(epoch + 1s, 3));
  CHECK(order.size() == 3);
  CHECK(wheel.next_due() == epoch + 1ms);
  CHECK(wheel.advance(epoch + 1s, 3));
  CHECK(wheel.advance(epoch + 1s, 3));
  CHECK_FALSE(wheel.advance(epoch + 1s, 3));
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("timer wheel: exactly as many callbacks as are due leave nothing to do") {
  TimerWheel wheel(epoch);
  for (int i = 0; i < 3; ++i) wheel.start(epoch, 1ms, [] {});
  CHECK_FALSE(wheel.advance(epoch + 1ms, 3));
}

TEST_CASE("timer wheel: sorting a crowded far slot is cut into slices and keeps the order") {
  TimerWheel wheel(epoch);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) wheel.start(epoch, 300ms, [&order, i] { order.push_back(i); });
  CHECK(wheel.advance(epoch + 256ms, 1));  // the slot's time has come, nothing is due
  CHECK(wheel.size() == 100);
  wheel.start(epoch + 256ms, 44ms, [&order] { order.push_back(100); });
  CHECK(wheel.next_due() <= epoch + 300ms);
  int calls = 1;
  while (wheel.advance(epoch + 256ms, 1)) ++calls;
  CHECK(calls > 5);
  CHECK(order.empty());
  CHECK(wheel.next_due() == epoch + 300ms);
  run_out(wheel, epoch + 300ms);
  CHECK(order.size() == 101);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("timer wheel: after a cancellation far ahead next_due is early once at most") {
  TimerWheel wheel(epoch);
  const TimerId first = wheel.start(epoch, 10s, [] {});
  wheel.start(epoch, 10'100ms, [] {});
  CHECK(wheel.next_due() == epoch + 10s);
  wheel.cancel(first);
  CHECK(wheel.next_due() <= epoch + 10'100ms);
  CHECK_FALSE(wheel.advance(*wheel.next_due(), plenty));
  CHECK(wheel.next_due() == epoch + 10'100ms);
}

TEST_CASE("timer wheel: once warm, starting, cancelling and running allocate nothing") {
  TimerWheel wheel(epoch);
  Time now = epoch;
  std::size_t allocated_before = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) allocated_before = test::allocations();
    for (int i = 0; i < 5000; ++i) {
      const TimerId id = wheel.start(now, i * 1ms, [] {});
      if (i % 3 == 0) wheel.cancel(id);
    }
    run_out(wheel, now += 5s);
    CHECK(wheel.size() == 0);
  }
  CHECK(test::allocations() == allocated_before);
}

TEST_CASE("timer wheel: starts beyond the limit are refused and counted, until one ends") {
  TimerWheel wheel(epoch, 2);
  const TimerId first = wheel.start(epoch, 1s, [] {});
  CHECK(first != TimerId::none);
  CHECK(wheel.start(epoch, 1s, [] {}) != TimerId::none);
  auto alive = std::make_shared<int>(0);
  CHECK(wheel.start(epoch, 1s, [alive] {}) == TimerId::none);
  CHECK(alive.use_count() == 1);
  CHECK(wheel.refused() == 1);
  wheel.cancel(first);
  CHECK(wheel.start(epoch, 1s, [] {}) != TimerId::none);
}

TEST_CASE("timer wheel: destroying it destroys callables, which may still cancel others") {
  auto alive = std::make_shared<int>(0);
  struct Owner {
    TimerWheel* wheel;
    TimerId other = TimerId::none;
    std::shared_ptr<int> alive;
    ~Owner() {
      wheel->cancel(other);
      CHECK(wheel->start(epoch, 1s, [] {}) == TimerId::none);
    }
  };
  {
    TimerWheel wheel(epoch);
    auto owner = std::make_unique<Owner>();
    owner->wheel = &wheel;
    owner->alive = alive;
    Owner& seen = *owner;
    wheel.start(epoch, 1s, [owner = std::move(owner)] {});
    seen.other = wheel.start(epoch, 1h, [alive] {});
    CHECK(alive.use_count() == 3);
  }
  CHECK(alive.use_count() == 1);
}

namespace {

// What the wheel has to do, said in the plainest way.
class Model {
 public:
  void start(Time now, Duration after, int name, Time earliest) {
    due_.emplace(std::max(promised(now, after), earliest), name);
  }
  bool cancel(int name) {
    const auto found = std::find_if(due_.begin(), due_.end(),
                                    [name](const auto& entry) { return entry.second == name; });
    if (found == due_.end()) return false;
    due_.erase(found);
    return true;
  }
  std::vector<int> take_due(Time now, std::size_t most) {
    std::vector<int> names;
    while (names.size() < most && !due_.empty() && due_.begin()->first <= now) {
      names.push_back(due_.begin()->second);
      due_.erase(due_.begin());
    }
    return names;
  }
  std::optional<Time> next_due() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
  }

 private:
  std::multimap<Time, int> due_;  // equal keys keep the order of insertion
};

Duration random_interval(base::Random& random) {
  const std::uint32_t scale = random.below(6);
  const std::uint32_t most[] = {2, 150, 400, 20'000, 2'000'000, 80'000'000};
  return random.below(most[scale]) * 1ms + random.below(1000) * 1us;
}

struct Pair {
  TimerWheel wheel{epoch};
  Model model;
  std::map<int, TimerId> ids;
  std::vector<int> ran;
  Time now = epoch;
  int next_name = 0;

  void start(Duration after) {
    const int name = next_name++;
    // What lies at or before the tick of the last advance runs in the one after it.
    const Time earliest = epoch + ((now - epoch) / 1ms + 1) * Duration(1ms);
    model.start(now, after, name, earliest);
    ids[name] = wheel.start(now, after, [this, name] { ran.push_back(name); });
  }
  void cancel(int name) { REQUIRE(wheel.cancel(ids[name]) == model.cancel(name)); }
  void advance(std::size_t most) {
    const bool more = wheel.advance(now, most);
    REQUIRE(ran == model.take_due(now, ran.size()));
    const bool is_due = model.next_due() && *model.next_due() <= now;
    if (!more) REQUIRE_FALSE(is_due);
    ran.clear();
  }
  void finish_advance() {
    while (wheel.advance(now, 3)) {
    }
    REQUIRE(ran == model.take_due(now, plenty));
    ran.clear();
  }
};

}  // namespace

TEST_CASE("timer wheel: it does what a sorted list would do, over random starts and cancels") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    Pair pair;
    for (int round = 0; round < 400; ++round) {
      for (std::uint32_t i = random.below(8); i > 0; --i) pair.start(random_interval(random));
      for (std::uint32_t i = random.below(4); i > 0 && pair.next_name > 0; --i) {
        pair.cancel(static_cast<int>(random.below(static_cast<std::uint32_t>(pair.next_name))));
      }
      const auto wheel_next = pair.wheel.next_due();
      const auto model_next = pair.model.next_due();
      REQUIRE(wheel_next.has_value() == model_next.has_value());
      if (wheel_next) REQUIRE(*wheel_next <= *model_next);
      const bool jump = random.below(3) == 0 && wheel_next.has_value();
      pair.now = jump ? std::max(pair.now, *wheel_next) : pair.now + random_interval(random) / 4;
      if (random.below(4) == 0) pair.advance(1 + random.below(3));
      pair.finish_advance();
    }
    pair.now += 30h;
    pair.finish_advance();
    CHECK(pair.wheel.size() == 0);
  }
}

TEST_CASE("timer wheel: without cancellations next_due is the tick of the first timer") {
  base::Random random(7);
  Pair pair;
  for (int round = 0; round < 3000; ++round) {
    if (round < 2000) pair.start(random_interval(random));
    REQUIRE(pair.wheel.next_due() == pair.model.next_due());
    if (!pair.wheel.next_due()) break;
    pair.now = std::max(pair.now, *pair.wheel.next_due());
    pair.finish_advance();
  }
}

TEST_CASE("timer wheel: tasks that start and cancel timers keep to the model") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random random(seed);
    TimerWheel wheel(epoch);
    Time now = epoch;
    std::deque<TimerId> ids;
    std::map<TimerId, Time> due;  // what runs, and when
    std::function<void(Duration)> start = [&](Duration after) {
      auto id = std::make_shared<TimerId>();
      *id = wheel.start(now, after, [&, id] {
        REQUIRE(due.count(*id) == 1);
        REQUIRE(due[*id] <= now);
        for (const auto& [other, time] : due) REQUIRE(time + 1ms >= due[*id]);
        due.erase(*id);
        if (random.below(2) == 0) start(random_interval(random) / 100);
        if (!ids.empty() && random.below(3) == 0) {
          REQUIRE(wheel.cancel(ids.front()) == (due.erase(ids.front()) == 1));
          ids.pop_front();
        }
      });
      due[*id] = promised(now, after);
      ids.push_back(*id);
    };
    for (int i = 0; i < 100; ++i) start(random_interval(random) / 100);
    for (int i = 0; i < 400 && wheel.next_due(); ++i) {
      now = std::max(now, *wheel.next_due());
      run_out(wheel, now);
    }
    run_out(wheel, now += 2h);
    REQUIRE(wheel.size() == due.size());
  }
}
