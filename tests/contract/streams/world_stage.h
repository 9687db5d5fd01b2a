// JetStream on the loops of a world, for clients of each kind: the first one on the last loop.
#pragma once

#include "tests/contract/streams/stage.h"
#include "tests/support/jetstream_world.h"

namespace spanwire::test {

class WorldStage : public StreamsStage {
 public:
  explicit WorldStage(std::size_t loops)
      : world_({.loops = loops}), admin_(world_), loops_(loops) {}

  std::unique_ptr<streams::Client> make_client() final {
    return client_of(world_.services(loops_ - 1 - clients_++ % loops_));
  }
  // What needs time has it, up to the longest that anything here takes.
  void run_until(const std::function<bool()>& done) final {
    world_.settle();
    for (int i = 0; i < 20 && !done(); ++i) world_.advance(std::chrono::milliseconds(500));
  }
  void settle() final { world_.settle(); }
  void advance(base::Duration by) final { world_.advance(by); }
  std::string api(std::string_view operation, std::string_view body) final {
    return admin_.api(operation, body);
  }

 private:
  virtual std::unique_ptr<streams::Client> client_of(wire::Services& services) = 0;

  JetStreamWorld world_;
  JetStreamClient admin_;
  std::size_t loops_;
  std::size_t clients_ = 0;
};

}  // namespace spanwire::test
