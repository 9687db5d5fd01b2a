#include "jetstream/pull_queue.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using base::WallTime;
using jetstream::PullQueue;
using jetstream::PullWaiting;
using std::chrono::seconds;

namespace {

PullWaiting request(std::string reply, std::uint64_t left) {
  PullWaiting waiting;
  waiting.reply = std::move(reply);
  waiting.left = left;
  return waiting;
}

}  // namespace

TEST_CASE("pull queue: requests are served in turns") {
  PullQueue queue;
  queue.add(request("a", 2));
  queue.add(request("b", 3));
  CHECK(queue.wanted() == 5);
  CHECK(queue.front().reply == "a");
  queue.rotate();
  CHECK(queue.front().reply == "b");
  queue.drop_front();
  CHECK(queue.front().reply == "a");
  CHECK(queue.size() == 1);
}

TEST_CASE("pull queue: its limit is what was set") {
  PullQueue queue;
  queue.set_limit(1);
  CHECK_FALSE(queue.full());
  queue.add(request("a", 1));
  CHECK(queue.full());
}

TEST_CASE("pull queue: the next event is the first expiry or heartbeat") {
  PullQueue queue;
  CHECK_FALSE(queue.next_event());
  queue.add(request("a", 1));
  CHECK_FALSE(queue.next_event());
  PullWaiting waiting = request("b", 1);
  waiting.expires = WallTime(seconds(30));
  queue.add(waiting);
  CHECK(queue.next_event() == WallTime(seconds(30)));
  waiting.heartbeat = seconds(5);
  waiting.next_heartbeat = WallTime(seconds(5));
  queue.add(waiting);
  CHECK(queue.next_event() == WallTime(seconds(5)));
}

TEST_CASE("pull queue: a filter keeps the order of what stays") {
  PullQueue queue;
  for (const char* name : {"a", "b", "c"}) queue.add(request(name, 1));
  queue.filter([](PullWaiting& waiting) { return waiting.reply != "b"; });
  CHECK(queue.size() == 2);
  CHECK(queue.front().reply == "a");
  queue.drop_front();
  CHECK(queue.front().reply == "c");
}
