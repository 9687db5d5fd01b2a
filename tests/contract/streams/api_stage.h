// Clients of the API on the bus of a world.
#pragma once

#include "streams/api_client.h"
#include "streams/bus_link.h"
#include "tests/contract/streams/world_stage.h"

namespace spanwire::test {

class ApiStage final : public WorldStage {
 public:
  using WorldStage::WorldStage;

 private:
  std::unique_ptr<streams::Client> client_of(wire::Services& services) override {
    auto link =
        std::make_unique<streams::BusLink>(services.loop(), [&services](bus::Receiver& receiver) {
          return services.open(services.anonymous(), receiver, nullptr);
        });
    return std::make_unique<streams::ApiClient>(services.loop(), std::move(link));
  }
};

}  // namespace spanwire::test
