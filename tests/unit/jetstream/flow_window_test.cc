#include "jetstream/flow_window.h"

#include <doctest/doctest.h>

using namespace spanwire;
using jetstream::FlowWindow;
using jetstream::RateLimit;

TEST_CASE("flow window: the receiver is asked when more than half of the window is under way") {
  FlowWindow window;
  window.enable(true);
  window.add(FlowWindow::first_bytes / 2);
  CHECK_FALSE(window.should_ask());
  window.add(1);
  CHECK(window.should_ask());
  window.ask("x");
  CHECK_FALSE(window.should_ask());
}

TEST_CASE(
    "flow window: it is full beyond its bytes until the receiver answers, then twice as large") {
  FlowWindow window;
  window.enable(true);
  window.add(FlowWindow::first_bytes);
  window.ask("x");
  CHECK_FALSE(window.full());
  window.add(1);
  CHECK(window.full());
  CHECK_FALSE(window.answered("y"));
  CHECK(window.full());
  CHECK(window.answered("x"));
  CHECK_FALSE(window.full());
  CHECK_FALSE(window.answered("x"));
  window.add(2 * FlowWindow::first_bytes - 1);
  CHECK_FALSE(window.full());
  window.add(1);
  CHECK(window.full());
}

TEST_CASE("flow window: without flow control it is never full and asks for nothing") {
  FlowWindow window;
  window.add(FlowWindow::largest_bytes * 2);
  CHECK_FALSE(window.full());
  CHECK_FALSE(window.should_ask());
}

TEST_CASE("flow window: it grows to its largest size and no further") {
  FlowWindow window;
  window.enable(true);
  for (int i = 0; i < 10; ++i) {
    window.ask("x");
    window.answered("x");
  }
  window.add(FlowWindow::largest_bytes);
  CHECK_FALSE(window.full());
  window.add(1);
  CHECK(window.full());
}

TEST_CASE("rate limit: after a burst of a second, bytes wait for their time") {
  RateLimit rate;
  rate.set(8000);  // 1,000 bytes a second
  const base::Time start = base::Time(std::chrono::hours(1));
  CHECK(rate.take(500, start) == base::Duration::zero());
  CHECK(rate.take(500, start) == base::Duration::zero());
  CHECK(rate.take(500, start) == base::Duration::zero());
  CHECK(rate.take(1, start) == std::chrono::milliseconds(500));
  CHECK(rate.take(1, start + std::chrono::milliseconds(500)) == base::Duration::zero());
}

TEST_CASE("rate limit: none is none") {
  RateLimit rate;
  CHECK_FALSE(rate.enabled());
  CHECK(rate.take(1U << 30, base::Time()) == base::Duration::zero());
}
