// A world whose loops have the server's real services.
#pragma once

#include <memory>
#include <vector>

#include "app/loop_services.h"
#include "tests/support/world.h"

namespace spanwire::test {

class ServingWorld {
 public:
  explicit ServingWorld(WorldSettings settings = {}, auth::Settings authorization = {});

  World& world() { return world_; }
  app::LoopServices& services(std::size_t loop) { return *services_[loop]; }
  void settle() { world_.settle(); }

 private:
  // Work that would run on helper threads runs at once.
  class Helpers final : public app::Helpers {
   public:
    bool run(base::Task work, base::Loop& loop, base::Task done) override {
      work();
      loop.post(std::move(done));
      return true;
    }
  };

  wire::ServerIdentity identity_;
  auth::Authenticator authenticator_;
  Helpers helpers_;
  World world_;
  std::vector<std::unique_ptr<app::LoopServices>> services_;
};

}  // namespace spanwire::test
