// Where a scenario is played: the server as app/ puts it together, on manual loops and without
// sockets.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/server_config.h"
#include "app/wires.h"
#include "base/result.h"
#include "tests/support/world.h"

namespace spanwire::script {

// A wire by its name in scripts: nats, mqtt, http. Throws ScriptError for any other.
std::string wire_of(std::string_view name);

// Replaces `{nats_port}` and its like.
std::string fill_ports(std::string text);

// Reads configuration text as the server reads its file; a listener is added for each of `wires`
// whose port the text does not name, and for NATS always.
base::Result<app::ServerConfig> read_config(std::string text, const std::set<std::string>& wires);

class Stage {
 public:
  Stage(const app::ServerConfig& config, std::size_t loops);
  ~Stage();

  test::World& world() { return world_; }
  // A connection to the listener of that wire, on the next loop in turn.
  test::TestPeer& connect(const std::string& wire);

 private:
  // Work that would run on helper threads runs at once.
  class Helpers final : public app::Helpers {
   public:
    bool run(base::Task work, base::Loop& loop, base::Task done) override;
  };
  // A wire, and what its sessions share on each loop.
  struct Entrance {
    wire::Wire wire;
    std::vector<std::unique_ptr<wire::Bridge>> bridges;
  };

  std::size_t open_connections() const;

  wire::ServerIdentity identity_;
  auth::Authenticator authenticator_;
  Helpers helpers_;
  test::World world_;
  std::vector<std::unique_ptr<app::LoopServices>> services_;  // by loop
  std::vector<Entrance> entrances_;
  std::vector<test::TestPeer*> peers_;
  std::size_t max_connections_;
};

}  // namespace spanwire::script
