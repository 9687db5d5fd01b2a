#include "store/recovery_queue.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/manual_loop.h"

using namespace spanwire;
using store::RecoveryQueue;

TEST_CASE("recovery queue: so many run at once, the others in their order, each on its loop") {
  test::ManualLoop first(0);
  test::ManualLoop second(1);
  RecoveryQueue queue;
  std::vector<std::size_t> started;
  for (std::size_t i = 0; i < RecoveryQueue::at_once + 3; ++i) {
    queue.add(i % 2 == 0 ? first : second, [&started, i] { started.push_back(i); });
  }
  CHECK(started.size() == RecoveryQueue::at_once);
  queue.ended();
  queue.ended();
  CHECK(started.size() == RecoveryQueue::at_once);  // not where another one has ended
  second.run_posted();
  CHECK(started.back() == RecoveryQueue::at_once + 1);
  first.run_posted();
  CHECK(started.back() == RecoveryQueue::at_once);
  for (std::size_t i = 0; i < RecoveryQueue::at_once + 1; ++i) queue.ended();
  first.run_posted();
  CHECK(started.size() == RecoveryQueue::at_once + 3);
  queue.add(second, [&started] { started.push_back(99); });
  CHECK(started.back() == 99);
}
