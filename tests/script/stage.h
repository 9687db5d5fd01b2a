// Where a scenario is played: a server without sockets or threads, set up by configuration text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/loop_services.h"
#include "base/result.h"
#include "tests/script/stage_settings.h"
#include "tests/support/world.h"
#include "wire/wire.h"

namespace spanwire::script {

enum class WireKind : std::uint8_t { nats, mqtt, http };

// Throws ScriptError for any other name.
WireKind wire_kind(std::string_view name);

// Replaces `{nats_port}` and its like. There are no sockets, but INFO has a port.
std::string fill_ports(std::string text);

class Stage {
 public:
  // `settings` is NATS configuration text; the error says what is wrong with it.
  static base::Result<std::unique_ptr<Stage>> set_up(const std::string& settings,
                                                     std::size_t loops);
  ~Stage();

  test::World& world() { return *world_; }
  // A connection, on the next loop in turn.
  test::TestPeer& connect(WireKind kind);

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

  Stage(StageSettings settings, std::size_t loops);
  std::size_t open_connections() const;

  wire::ServerIdentity identity_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  Helpers helpers_;
  std::unique_ptr<test::World> world_;
  std::vector<std::unique_ptr<app::LoopServices>> services_;  // by loop
  std::vector<Entrance> entrances_;                           // by WireKind
  std::vector<test::TestPeer*> peers_;
  std::size_t max_connections_;
};

}  // namespace spanwire::script
