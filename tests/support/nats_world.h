// NATS sessions on the loops of a world whose peers take everything at once and keep nothing: for
// measuring what a message costs, without sockets.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "nats/bridge.h"
#include "tests/support/serving_world.h"

namespace spanwire::test {

class DrainPeer final : public session::Peer {
 public:
  DrainPeer(session::Turn& turn, std::uint64_t id);
  ~DrainPeer() override;
  void attach(std::unique_ptr<session::Session> session);

  session::Session& session() { return *session_; }
  std::size_t taken_bytes() const { return taken_bytes_; }
  std::size_t writes() const { return writes_; }

  void pause() override {}
  void resume() override {}
  base::TimerId arm(base::Duration after) override;
  void disarm(base::TimerId timer) override;

 private:
  void flush() override;
  void finish_close(std::string_view reason, session::Ending ending) override;
  void drop() override {}

  std::unique_ptr<session::Session> session_;
  std::size_t taken_bytes_ = 0;
  std::size_t writes_ = 0;
};

class NatsWorld {
 public:
  explicit NatsWorld(std::size_t loops);
  ~NatsWorld();

  // A client that has said CONNECT and then `lines`.
  DrainPeer& connect(std::size_t loop, std::string_view lines = {});
  // A turn of the peer's loop that reads these bytes, and larger bodies as they come.
  void feed(DrainPeer& peer, std::string_view bytes);
  // One turn of a loop in which nothing is read.
  void turn(std::size_t loop);

 private:
  ServingWorld serving_;
  wire::Wire wire_;
  std::vector<std::unique_ptr<wire::Bridge>> bridges_;  // by loop
  std::vector<std::unique_ptr<DrainPeer>> peers_;
};

}  // namespace spanwire::test
