#include "app/allocator.h"

#include <doctest/doctest.h>
#include <malloc.h>

#include <memory>
#include <thread>
#include <vector>

using namespace spanwire;

namespace {

// All that the process has from the system for its blocks. (A sanitizer's allocator says nothing.)
std::size_t taken_bytes() {
  const auto info = ::mallinfo2();
  return info.arena + info.hblkhd;
}

void take_and_free(std::size_t count, std::size_t block_bytes) {
  std::vector<std::unique_ptr<char[]>> blocks;
  blocks.reserve(count);
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(std::make_unique<char[]>(block_bytes));
}

}  // namespace

TEST_CASE("allocator: what a thread needed for a while goes back, whatever was freed before") {
  app::set_up_allocator();
  const std::size_t before = taken_bytes();
  std::size_t after_blocks = 0;
  std::size_t after_more = 0;
  std::thread([&] {
    take_and_free(2, 24U << 20);  // glibc takes it as a sign to keep as much from now on
    after_blocks = taken_bytes();
    take_and_free(400, 100U << 10);
    after_more = taken_bytes();
  }).join();
  constexpr std::size_t own_bytes = 1U << 20;  // of the thread's area
  CHECK(after_blocks <= before + own_bytes);
  CHECK(after_more <= before + own_bytes + app::kept_free_bytes);
}
