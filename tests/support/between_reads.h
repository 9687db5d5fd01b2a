// Has something happen in a loop's turn after the drain and before the other clients are read.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "session/session.h"
#include "tests/support/world.h"

namespace spanwire::test {

// A session that does it when it is read. Connect it before those that are to be read after it:
// the clients of a loop are read in the order in which they came.
class BetweenReads final : public session::Session {
 public:
  static BetweenReads& connect(World& world, std::size_t loop) {
    TestPeer& peer = world.connect(loop);
    peer.attach(std::unique_ptr<BetweenReads>(new BetweenReads(peer)));
    return static_cast<BetweenReads&>(*peer.session());
  }

  // In the next turn.
  void run(std::function<void()> action) {
    action_ = std::move(action);
    peer_.write("now");
  }

  std::size_t on_bytes(std::string_view input) override {
    action_();
    return input.size();
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
    return bus::Taken::none;
  }
  void on_relief() override {}
  session::Description describe() const override { return {.kind = "between reads"}; }

 private:
  explicit BetweenReads(TestPeer& peer) : peer_(peer) {}

  TestPeer& peer_;
  std::function<void()> action_;
};

}  // namespace spanwire::test
