#include "net/helper_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace spanwire;
using net::HelperPool;

namespace {

// A loop whose tasks the test runs, on its own thread, when they have come.
class TestLoop final : public base::Loop {
 public:
  base::LoopId id() const override { return 0; }
  base::Time now() const override { return {}; }
  base::WallTime wall_now() const override { return {}; }
  base::TimerId start_timer(base::Duration, base::Task) override { return base::TimerId::none; }
  void cancel_timer(base::TimerId) override {}
  void post(base::Task task) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
    came_.notify_all();
  }

  // Runs `count` tasks, waiting for those that have not come yet.
  void run(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      base::Task task;
      {
        std::unique_lock lock(mutex_);
        came_.wait(lock, [this] { return next_ < posted_.size(); });
        task = std::move(posted_[next_++]);
      }
      task();
    }
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return posted_.size() - next_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<base::Task> posted_;
  std::size_t next_ = 0;
};

// Work that keeps a thread of the pool until it is released.
struct Blocker {
  std::latch begun{1};
  std::latch released{1};

  base::Task work() {
    return [this] {
      begun.count_down();
      released.wait();
    };
  }
};

}  // namespace

TEST_CASE("helper pool: work runs on another thread, its answer on the loop that asked") {
  TestLoop loop;
  HelperPool pool(1, 10);
  std::thread::id worked_on;
  std::thread::id answered_on;
  CHECK(pool.run([&] { worked_on = std::this_thread::get_id(); }, loop,
                 [&] { answered_on = std::this_thread::get_id(); }));
  loop.run(1);
  CHECK(worked_on != std::this_thread::get_id());
  CHECK(worked_on != std::thread::id());
  CHECK(answered_on == std::this_thread::get_id());
}

TEST_CASE("helper pool: each loop gets its own answers") {
  TestLoop left;
  TestLoop right;
  HelperPool pool(2, 10);
  std::string order;
  CHECK(pool.run([] {}, left, [&] { order += 'l'; }));
  CHECK(pool.run([] {}, right, [&] { order += 'r'; }));
  right.run(1);
  left.run(1);
  CHECK(order == "rl");
}

TEST_CASE("helper pool: one thread works in the order of the calls") {
  TestLoop loop;
  HelperPool pool(1, 100);
  std::vector<int> worked;
  std::vector<int> answered;
  for (int i = 0; i < 50; ++i) {
    CHECK(pool.run([&worked, i] { worked.push_back(i); }, loop,
                   [&answered, i] { answered.push_back(i); }));
  }
  loop.run(50);
  CHECK(worked.size() == 50);
  CHECK(std::is_sorted(worked.begin(), worked.end()));
  CHECK(answered == worked);
}

TEST_CASE("helper pool: its threads work at the same time") {
  TestLoop loop;
  HelperPool pool(3, 10);
  std::latch all_there(3);  // would wait for ever if a thread did two of the three
  for (int i = 0; i < 3; ++i) {
    CHECK(pool.run([&] { all_there.arrive_and_wait(); }, loop, [] {}));
  }
  loop.run(3);
}

TEST_CASE("helper pool: what does not fit the queue is refused, counted and destroyed at once") {
  TestLoop loop;
  HelperPool pool(1, 2);
  Blocker blocker;
  REQUIRE(pool.run(blocker.work(), loop, [] {}));
  blocker.begun.wait();  // it waits no longer: the queue is empty
  CHECK(pool.run([] {}, loop, [] {}));
  CHECK(pool.run([] {}, loop, [] {}));
  CHECK(pool.waiting() == 2);
  auto alive = std::make_shared<int>();
  CHECK_FALSE(pool.run([alive] {}, loop, [alive] {}));
  CHECK(alive.use_count() == 1);
  CHECK(pool.refused() == 1);
  blocker.released.count_down();
  loop.run(3);
  CHECK(pool.run([] {}, loop, [] {}));
  loop.run(1);
  CHECK(pool.refused() == 1);
  CHECK(pool.waiting() == 0);
}

TEST_CASE("helper pool: work is destroyed before its answer comes") {
  TestLoop loop;
  HelperPool pool(1, 10);
  auto shared = std::make_shared<int>(0);
  long owners = 0;
  CHECK(pool.run([shared] { *shared = 7; }, loop,
                 [shared, &owners] { owners = shared.use_count(); }));
  loop.run(1);
  CHECK(*shared == 7);
  CHECK(owners == 2);  // this one and the answer's
}

TEST_CASE("helper pool: stopping waits for what has begun and hands back what has not") {
  TestLoop loop;
  auto pool = std::make_unique<HelperPool>(1, 10);
  Blocker blocker;
  bool first_answered = false;
  bool second_ran = false;
  auto alive = std::make_shared<int>();
  REQUIRE(pool->run(blocker.work(), loop, [&] { first_answered = true; }));
  blocker.begun.wait();
  REQUIRE(pool->run([&, alive] { second_ran = true; }, loop, [&, alive] { second_ran = true; }));
  std::thread stopper([&] { pool->stop(); });
  while (pool->waiting() > 0) std::this_thread::yield();  // stop() has taken what waited
  CHECK_FALSE(pool->run([] {}, loop, [] {}));
  CHECK(alive.use_count() == 3);  // nobody destroys it on a thread that is not the loop's
  blocker.released.count_down();
  stopper.join();
  CHECK(loop.waiting() == 2);
  loop.run(2);
  CHECK(first_answered);
  CHECK_FALSE(second_ran);
  CHECK(alive.use_count() == 1);
  pool->stop();  // does nothing
  pool.reset();
  CHECK(loop.waiting() == 0);
}

TEST_CASE("helper pool: an idle pool ends at once") {
  for (int i = 0; i < 20; ++i) HelperPool pool(4, 1);
}

TEST_CASE("helper pool: every answer comes once, however many threads ask") {
  TestLoop loop;
  HelperPool pool(3, 16);
  constexpr int askers = 4;
  constexpr int calls = 500;
  std::atomic<int> taken{0};
  std::atomic<int> worked{0};
  int answered = 0;  // by this thread alone
  std::vector<std::thread> threads;
  for (int t = 0; t < askers; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < calls; ++i) {
        if (pool.run([&] { ++worked; }, loop, [&] { ++answered; })) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  loop.run(static_cast<std::size_t>(taken.load()));
  CHECK(answered == taken.load());
  CHECK(worked.load() == taken.load());
  CHECK(static_cast<int>(pool.refused()) == askers * calls - taken.load());
}
