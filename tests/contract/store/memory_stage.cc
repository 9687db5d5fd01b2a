// The log in memory.
#include "contract/store/stage.h"
#include "store/store.h"

namespace spanwire::test {
namespace {

class MemoryStage final : public LogStage {
 public:
  store::Log& log() override { return *log_; }
  void settle() override {}

 private:
  std::unique_ptr<store::Log> log_ = store::make_memory_log(owner);
};

}  // namespace

std::unique_ptr<LogStage> make_stage() {
  return std::make_unique<MemoryStage>();
}

}  // namespace spanwire::test
