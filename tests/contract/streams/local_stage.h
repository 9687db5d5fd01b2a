// Clients beside the embedded store.
#pragma once

#include "tests/contract/streams/world_stage.h"

namespace spanwire::test {

class LocalStage final : public WorldStage {
 public:
  using WorldStage::WorldStage;

 private:
  std::unique_ptr<streams::Client> client_of(wire::Services& services) override {
    return services.streams(services.anonymous()->account->id);
  }
};

}  // namespace spanwire::test
