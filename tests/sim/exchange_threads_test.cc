// What the inboxes of all loops promise to threads that fill and empty them at the same time. Runs
// are bounded in count; a promise that is broken ends in a failed check, or never ends.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "bus/exchange.h"

using namespace spanwire;
using bus::Exchange;
using bus::Parcel;
using Parcels = std::vector<std::unique_ptr<Parcel>>;

namespace {

// Within which a woken thread has run, on however slow a machine.
constexpr auto patience = std::chrono::seconds(30);

// Hands a parcel with one task to each loop from `first` to `last`.
void hand_over(Exchange& exchange, base::LoopId source, base::LoopId first, base::LoopId last) {
  Parcels parcels(exchange.loops());
  for (base::LoopId loop = first; loop <= last; ++loop) {
    parcels[loop] = exchange.fresh(source, loop);
    parcels[loop]->add([] {});
  }
  exchange.hand_over(source, parcels);
}

// Empties an inbox; returns how many parcels there were. Each was accounted for.
std::size_t take(Exchange& exchange, base::LoopId loop) {
  Parcels taken;
  exchange.take(loop, taken);
  std::array<std::size_t, 2> bytes{};  // by source, of which there are two at most
  for (const auto& parcel : taken) bytes[parcel->source() % 2] += parcel->size_bytes();
  for (auto& parcel : taken) {
    const base::LoopId source = parcel->source();
    if (exchange.lane_bytes(source, loop) < bytes[source % 2])
      FAIL_CHECK("not counted in its lane");
    bytes[source % 2] -= parcel->size_bytes();
    exchange.drained(loop, source, parcel->size_bytes(), 0);
    exchange.give_back(loop, std::move(parcel));
  }
  return taken.size();
}

// With as many inboxes as there can be a hand-over takes long enough to be met on its way.
constexpr base::LoopId last_loop = base::max_loops - 1;
// So far a source may be ahead of its slowest destination.
constexpr std::size_t most_ahead = 16;

}  // namespace

TEST_CASE("exchange: what one inbox has been given the others have been given with it") {
  constexpr std::size_t count = 3000;
  Exchange exchange(base::max_loops);
  for (base::LoopId loop = 0; loop <= last_loop; ++loop) exchange.set_wake(loop, [] {});
  std::atomic<std::size_t> seen{0};
  std::thread source([&] {
    for (std::size_t i = 0; i < count; ++i) {
      while (seen.load() + most_ahead < i) std::this_thread::yield();
      hand_over(exchange, 0, 1, last_loop);
    }
  });
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t missing = 0;
  while (first < count) {
    first += take(exchange, 1);
    last += take(exchange, last_loop);
    if (last < first) ++missing;
    for (base::LoopId loop = 2; loop < last_loop; ++loop) take(exchange, loop);
    seen.store(first);
  }
  source.join();
  CHECK(missing == 0);
  CHECK(last + take(exchange, last_loop) == count);
}

TEST_CASE("exchange: loops that hand over to the same inboxes do not wait for one another") {
  constexpr std::size_t count = 3000;
  Exchange exchange(base::max_loops);
  for (base::LoopId loop = 0; loop <= last_loop; ++loop) exchange.set_wake(loop, [] {});
  std::atomic<std::size_t> seen{0};
  std::vector<std::thread> sources;
  for (base::LoopId source = 0; source < 2; ++source) {
    sources.emplace_back([&, source] {
      for (std::size_t i = 0; i < count; ++i) {
        while (seen.load() + most_ahead < 2 * i) std::this_thread::yield();
        hand_over(exchange, source, 2, last_loop);
      }
    });
  }
  std::size_t taken = 0;
  while (taken < 2 * count * (base::max_loops - 2)) {
    for (base::LoopId loop = 2; loop <= last_loop; ++loop) taken += take(exchange, loop);
    seen.store(taken / (base::max_loops - 2));
    std::this_thread::yield();
  }
  for (std::thread& source : sources) source.join();
  for (base::LoopId loop = 2; loop <= last_loop; ++loop) {
    CHECK(exchange.lane_bytes(0, loop) == 0);
    CHECK(exchange.lane_bytes(1, loop) == 0);
  }
}

TEST_CASE("exchange: nobody sleeps beside a filled inbox") {
  constexpr std::size_t rounds = 1500;
  Exchange exchange(2);
  std::array<std::counting_semaphore<>, 2> woken{std::counting_semaphore<>(0),
                                                 std::counting_semaphore<>(0)};
  for (base::LoopId loop = 0; loop < 2; ++loop) {
    exchange.set_wake(loop, [&woken, loop] { woken[loop].release(); });
  }
  std::atomic<bool> overslept{false};
  // Two loops that answer one another, each asleep until the other's answer comes.
  const auto play = [&](base::LoopId here) {
    const auto there = static_cast<base::LoopId>(1 - here);
    if (here == 0) hand_over(exchange, 0, 1, 1);
    for (std::size_t got = 0; got < rounds;) {
      if (take(exchange, here) != 0) {
        ++got;
        if (here == 1 || got < rounds) hand_over(exchange, here, there, there);
      } else if (exchange.fall_asleep(here)) {
        if (!woken[here].try_acquire_for(patience)) {
          overslept.store(true);
          return;
        }
      }
      exchange.wake_up(here);
    }
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  CHECK_FALSE(overslept.load());
}

TEST_CASE("exchange: a loop is woken when all inboxes are filled and their locks released") {
  Exchange exchange(3);
  bool all_filled = false;
  std::size_t taken = 0;
  std::binary_semaphore looked(0);
  std::thread loop;
  exchange.set_wake(1, [&] {
    all_filled = exchange.filled(1) && exchange.filled(2);
    // The loop that is woken looks into its inbox at once.
    loop = std::thread([&] {
      taken = take(exchange, 1) + take(exchange, 2);
      looked.release();
    });
    CHECK(looked.try_acquire_for(patience));
  });
  int second = 0;
  exchange.set_wake(2, [&] { ++second; });
  REQUIRE(exchange.fall_asleep(1));
  hand_over(exchange, 0, 1, 2);
  REQUIRE(loop.joinable());
  loop.join();
  CHECK(all_filled);
  CHECK(taken == 2);
  CHECK(second == 0);  // it was not asleep
}

TEST_CASE("exchange: a loop is woken once, and does not fall asleep while something waits") {
  Exchange exchange(2);
  int wakes = 0;
  exchange.set_wake(1, [&] { ++wakes; });
  REQUIRE(exchange.fall_asleep(1));
  hand_over(exchange, 0, 1, 1);
  hand_over(exchange, 0, 1, 1);
  CHECK(wakes == 1);
  CHECK_FALSE(exchange.fall_asleep(1));
  CHECK(take(exchange, 1) == 2);
  REQUIRE(exchange.fall_asleep(1));
  hand_over(exchange, 0, 1, 1);
  CHECK(wakes == 2);
}
