#include "tests/contract/streams/local_stage.h"

namespace spanwire::test {

std::unique_ptr<StreamsStage> make_streams_stage() {
  return std::make_unique<LocalStage>(1);
}

}  // namespace spanwire::test
