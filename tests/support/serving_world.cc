#include "tests/support/serving_world.h"

namespace spanwire::test {

ServingWorld::ServingWorld(WorldSettings settings, auth::Settings authorization)
    : identity_{.id = std::string(56, 'S'),
                .name = "test",
                .version = "0.0.0",
                .nats_version = "2.14.5"},
      authenticator_(std::move(authorization)),
      world_(settings) {
  for (std::size_t i = 0; i < settings.loops; ++i) {
    services_.push_back(
        std::make_unique<app::LoopServices>(world_.router(i), identity_, authenticator_, helpers_));
  }
}

}  // namespace spanwire::test
