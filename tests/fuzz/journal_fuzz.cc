// A journal's file with any bytes is replayed without harm: nothing is written that no whole block
// says. Blocks of the seeds are under a known salt, and the sums are mended here, so that the
// fuzzer gets behind them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "store/journal_format.h"
#include "store/journal_replay.h"
#include "store/segment_header.h"
#include "tests/support/memory_files.h"

using namespace spanwire;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

// Sums that fit, for a header and for each block that says its size.
void mend(std::string& file) {
  for (std::size_t slot = 0; slot < 2; ++slot) {
    const std::size_t at = slot * store::journal_page_bytes;
    if (file.size() < at + store::journal_header_bytes) return;
    char* sum = &file[at + 12];
    base::put_little_endian(sum, std::uint32_t{0});
    base::put_little_endian(
        sum, base::crc32c(std::string_view(file).substr(at, store::journal_header_bytes)));
  }
  const std::string salt = file.substr(16, 8);
  for (std::size_t at = store::journal_ring_at; at + store::block_header_bytes <= file.size();
       at += store::journal_page_bytes) {
    const std::string_view block = std::string_view(file).substr(at);
    const auto number = base::read_little_endian<std::uint64_t>(block, 8);
    const auto size = store::block_size(block, {.position = 0, .number = number});
    if (!size || *size > block.size()) continue;
    const std::uint32_t sum = base::crc32c(block.substr(8, *size - 8), base::crc32c(salt));
    base::put_little_endian(&file[at + 4], sum);
  }
}

void replay(const std::string& bytes) {
  test::MemoryDisk disk;
  const auto files = disk.open();
  check(files->make_folder("streams") && files->make_folder("streams/1"));
  disk.change("streams/1/1.seg",
              store::encode_segment_header({.stream = 1, .number = 1, .salt = 1, .reserved = {}}));
  disk.change("journal", bytes);
  // An offset beyond every file is refused by a disk, not held in memory.
  disk.set_limit(64U << 20);
  const auto journal = files->open("journal");
  check(journal.has_value());
  const auto current = store::read_journal_header(**journal);
  if (!current || !*current) return;
  const auto once = store::replay_journal(*files, **journal, (*current)->header);
  if (!once) return;
  check(once->blocks * store::block_header_bytes <= bytes.size());
  const std::string content = disk.content("streams/1/1.seg");
  const auto twice = store::replay_journal(*files, **journal, (*current)->header);
  check(twice.has_value());
  // A record may overwrite the header of its segment: then it is another one the second time.
  const auto header = store::decode_segment_header(content);
  if (!header || header->salt != 1 || header->stream != 1 || header->number != 1) return;
  check(twice->records == once->records && twice->bytes == once->bytes);
  check(disk.content("streams/1/1.seg") == content);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  replay(bytes);
  mend(bytes);
  replay(bytes);
  return 0;
}
