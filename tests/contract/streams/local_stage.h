// Clients beside the embedded store of a world: the first one on its last loop.
#pragma once

#include "tests/contract/streams/stage.h"
#include "tests/support/jetstream_world.h"

namespace spanwire::test {

class LocalStage final : public StreamsStage {
 public:
  explicit LocalStage(std::size_t loops)
      : world_({.loops = loops}), admin_(world_), loops_(loops) {}

  std::unique_ptr<streams::Client> make_client() override {
    wire::Services& services = world_.services(loops_ - 1 - clients_++ % loops_);
    return services.streams(services.anonymous()->account);
  }
  void run_until(const std::function<bool()>&) override { world_.settle(); }
  void settle() override { world_.settle(); }
  void advance(base::Duration by) override { world_.advance(by); }
  std::string api(std::string_view operation, std::string_view body) override {
    return admin_.api(operation, body);
  }

 private:
  JetStreamWorld world_;
  JetStreamClient admin_;
  std::size_t loops_;
  std::size_t clients_ = 0;
};

}  // namespace spanwire::test
