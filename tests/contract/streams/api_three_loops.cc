#include "tests/contract/streams/api_stage.h"

namespace spanwire::test {

std::unique_ptr<StreamsStage> make_streams_stage() {
  return std::make_unique<ApiStage>(3);
}

}  // namespace spanwire::test
