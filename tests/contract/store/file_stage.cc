// The log in files, on a disk in memory from which nothing is read at once.
#include <doctest/doctest.h>

#include "contract/store/stage.h"
#include "tests/support/store_world.h"

namespace spanwire::test {
namespace {

class FileStage final : public LogStage {
 public:
  FileStage() {
    // Small, so that a test goes through several segments.
    world_.settings.segment_first_bytes = 4096;
    world_.settings.segment_bytes = 16384;
    REQUIRE(world_.open());
    log_ = world_.create(owner);
    world_.disk.set_cold(true);
  }
  store::Log& log() override { return *log_; }
  void settle() override { world_.settle(); }
  void settle_reads() override {
    while (world_.loop.run_posted() || world_.workers.step()) {
    }
  }

 private:
  StoreWorld world_;
  std::unique_ptr<store::Log> log_;
};

}  // namespace

std::unique_ptr<LogStage> make_stage() {
  return std::make_unique<FileStage>();
}

}  // namespace spanwire::test
