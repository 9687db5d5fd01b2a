// The HTTP broker on the loops of a world, with its real services and the test wire beside it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridges/http_broker/bridge.h"
#include "bridges/kit/retained.h"
#include "tests/support/http_client.h"
#include "tests/support/line_session.h"
#include "tests/support/serving_world.h"

namespace spanwire::test {

class BrokerWorld {
 public:
  explicit BrokerWorld(std::size_t loops, http_broker::Settings settings = {},
                       kit::RetainedLimits limits = {}, auth::Settings logins = {})
      : serving({.loops = loops}, std::move(logins)),
        world(serving.world()),
        stores(std::make_shared<kit::RetainedStores>(limits)),
        wire(http_broker::make_wire(settings, 2, stores)) {
    for (std::size_t i = 0; i < loops; ++i) bridges.push_back(wire.start(serving.services(i)));
  }
  ~BrokerWorld() {
    for (TestPeer* client : clients_) client->hang_up();
    world.settle();
  }

  TestPeer& connect(std::size_t loop) {
    TestPeer& peer = world.connect(loop);
    peer.attach(wire.open(peer, *bridges[loop]));
    clients_.push_back(&peer);
    return peer;
  }
  http_broker::Bridge& bridge(std::size_t loop) {
    return static_cast<http_broker::Bridge&>(*bridges[loop]);
  }

  ServingWorld serving;
  World& world;
  std::shared_ptr<kit::RetainedStores> stores;
  wire::Wire wire;
  std::vector<std::unique_ptr<wire::Bridge>> bridges;  // by loop

 private:
  std::vector<TestPeer*> clients_;
};

}  // namespace spanwire::test
