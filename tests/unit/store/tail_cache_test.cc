// The newest bytes of a log: how much of them is kept, and where they are found.
#include "store/tail_cache.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using store::Position;
using store::TailBudget;
using store::TailCache;

namespace {

base::Ref<const store::Bytes> batch(std::size_t size_bytes) {
  return base::make_ref<const store::Bytes>(std::string(size_bytes, 'b'));
}

// Adds batches of so many bytes behind one another; returns where the next one would go.
std::uint64_t fill(TailCache& cache, std::size_t count, std::size_t size_bytes) {
  for (std::size_t i = 0; i < count; ++i) cache.add({1, i * size_bytes}, batch(size_bytes));
  return count * size_bytes;
}

}  // namespace

TEST_CASE("tail: beyond a log's limit the oldest go, and the newest stays however large it is") {
  TailBudget budget(1U << 30);
  TailCache cache(budget, 100'000);
  const std::uint64_t end = fill(cache, 50, 10'000);
  CHECK(cache.bytes() <= 100'000);
  CHECK(cache.bytes() > 80'000);
  CHECK(budget.used() == cache.bytes());
  CHECK(cache.find({1, 0}).empty());
  CHECK(cache.find({1, end - 5}).size() == 5);
  cache.add({1, end}, batch(300'000));
  CHECK(cache.find({1, end - 5}).empty());
  CHECK(cache.find({1, end}).size() == 300'000);
  cache.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("tail: while the process is beyond its budget a log keeps little") {
  TailBudget budget(500'000);
  TailCache other(budget, 1U << 20);
  TailCache cache(budget, 1U << 20);
  fill(cache, 30, 10'000);
  CHECK(cache.bytes() > 300'000);
  fill(other, 1, 400'000);
  cache.add({1, 300'000}, batch(10'000));
  CHECK(cache.bytes() <= 64U << 10);
  CHECK(!cache.find({1, 300'000}).empty());
}

TEST_CASE("tail: what ends at a position is forgotten, what reaches beyond it is not") {
  TailBudget budget(1U << 30);
  TailCache cache(budget, 1U << 20);
  fill(cache, 3, 1000);
  cache.forget_before({1, 1999});
  CHECK(cache.find({1, 999}).empty());
  CHECK(cache.find({1, 1000}).size() == 1000);
  cache.forget_before({1, 2000});
  CHECK(cache.find({1, 1000}).empty());
  CHECK(cache.find({1, 2000}).size() == 1000);
  CHECK(cache.find({1, 3000}).empty());
  CHECK(cache.find({2, 2500}).empty());
}
