#include "tests/contract/streams/api_stage.h"

namespace spanwire::test {

std::unique_ptr<StreamsStage> make_streams_stage() {
  return std::make_unique<ApiStage>(1);
}

}  // namespace spanwire::test
