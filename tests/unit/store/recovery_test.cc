// How a start reads segments: a worker ahead of the loop, but not far.
#include <set>
#include <string>

#include "store/chunk_queue.h"
#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::FileLogStage;

namespace {

Chunk chunk_at(std::uint64_t offset) {
  Chunk chunk;
  chunk.offset = offset;
  return chunk;
}

// Paths of segments that more was read of than is to find out what there is.
std::size_t segments_read(FileLogStage& stage) {
  std::size_t count = 0;
  for (const auto& [path, bytes] : stage.world.disk.reads()) {
    if (path.ends_with(".seg") && bytes > 8'000) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("chunk queue: chunks come out in their order, and one that is waited for is told of") {
  ChunkQueue queue;
  CHECK(queue.is_waited_for());
  CHECK(queue.push(chunk_at(1)));
  CHECK_FALSE(queue.is_waited_for());
  CHECK_FALSE(queue.push(chunk_at(2)));
  CHECK(queue.pop()->offset == 1);
  CHECK_FALSE(queue.push(chunk_at(3)));
  CHECK(queue.pop()->offset == 2);
  CHECK(queue.pop()->offset == 3);
  CHECK_FALSE(queue.is_waited_for());
  CHECK_FALSE(queue.pop());
  CHECK(queue.is_waited_for());
  CHECK(queue.push(chunk_at(4)));
}

TEST_CASE("chunk queue: so many are in use at most, and their memory is used again") {
  ChunkQueue queue;
  for (std::size_t i = 0; i < ChunkQueue::most; ++i) {
    CHECK(queue.is_worth_filling() == (i <= ChunkQueue::most / 2));
    std::optional<Chunk> chunk = queue.begin();
    REQUIRE(chunk);
    chunk->bytes.resize(1'000 + i);
    queue.push(std::move(*chunk));
  }
  CHECK_FALSE(queue.begin());
  std::optional<Chunk> first = queue.pop();
  REQUIRE(first);
  CHECK_FALSE(queue.begin());
  const char* const memory = std::string_view(first->bytes).data();
  queue.give_back(std::move(*first));
  CHECK_FALSE(queue.is_worth_filling());
  const std::optional<Chunk> again = queue.begin();
  REQUIRE(again);
  CHECK(std::string_view(again->bytes).data() == memory);
  CHECK_FALSE(queue.begin());
}

TEST_CASE("recovery: a worker reads a few chunks ahead of the loop, and then lets others run") {
  FileLogStage stage;
  stage.fill(2'000);
  const std::size_t all = stage.segments().size();
  REQUIRE(all > 3 * ChunkQueue::most);
  for (const std::string& path : stage.segments()) {
    stage.world.disk.remove(path.substr(0, path.size() - 3) + "idx");
  }
  stage.world.disk.remove("streams/1/snapshot");
  stage.log.reset();
  stage.world.close();
  REQUIRE(stage.world.open());
  stage.owner = test::RememberingOwner();
  stage.world.disk.forget_reads();
  stage.world.store().recover("streams/1", stage.owner, stage.world.loop,
                              [&](auto log) { stage.log = std::move(log.value()); });
  std::set<std::size_t> read;
  std::size_t steps = 0;
  for (; stage.log == nullptr; ++steps) {
    const std::size_t before = segments_read(stage);
    // And one more, at first, where it is looked up whether the notes of the last one count.
    if (stage.world.workers.step()) CHECK(segments_read(stage) - before <= ChunkQueue::most + 1);
    read.insert(segments_read(stage));
    stage.world.loop.run_posted();
    REQUIRE(steps < 10'000);
  }
  CHECK(read.size() > all / ChunkQueue::most - 2);
  CHECK(segments_read(stage) >= all - 2);
  CHECK(stage.owner.messages.size() == 2'000);
  CHECK(stage.log->totals().messages == 2'000);
}

TEST_CASE("recovery: workers that have too much to do are asked again") {
  FileLogStage stage;
  stage.fill(300);
  stage.log.reset();
  stage.world.close();
  REQUIRE(stage.world.open());
  stage.world.workers.limit = 0;
  stage.owner = test::RememberingOwner();
  stage.world.store().recover("streams/1", stage.owner, stage.world.loop,
                              [&](auto log) { stage.log = std::move(log.value()); });
  stage.world.settle();
  CHECK(stage.log == nullptr);
  stage.world.workers.limit = 1;
  for (int i = 0; i < 100 && stage.log == nullptr; ++i) {
    stage.world.loop.set_now(stage.world.loop.now() + std::chrono::milliseconds(10));
    stage.world.loop.run_timers();
    stage.world.settle();
  }
  REQUIRE(stage.log != nullptr);
  CHECK(stage.log->totals().messages == 300);
}
