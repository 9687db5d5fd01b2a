// A peer without a socket: bytes go in by deliver() and come out in received().
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "session/peer.h"
#include "session/session.h"
#include "session/turn.h"

namespace spanwire::test {

class TestPeer final : public session::Peer {
 public:
  TestPeer(session::Turn& turn, std::uint64_t id, std::string remote)
      : Peer(turn, id, std::move(remote)) {}
  ~TestPeer() override { drop_timers(); }

  using Peer::set_surplus;  // before attach()
  void attach(std::unique_ptr<session::Session> session) {
    owned_ = std::move(session);
    set_session(owned_.get());
    owned_->on_open();
  }

  // What the client writes; read in the loop's next step, at most `read_limit` bytes at a time.
  void write(std::string_view bytes) { input_ += bytes; }
  void set_read_limit(std::size_t bytes) { read_limit_ = bytes; }
  bool readable() const {
    return owned_ != nullptr && !paused_ && !closing() && fed_ < input_.size();
  }
  // One read(); false if the session took nothing of it.
  bool read();
  // The client goes away.
  void hang_up() {
    if (owned_ != nullptr) close("Client Closed");
  }

  // What the client has got so far; take() also empties it.
  const std::string& received() const { return received_; }
  std::string take() { return std::exchange(received_, {}); }
  // The client stops or goes on taking bytes.
  void set_accepting(bool accepting) {
    accepting_ = accepting;
    if (accepting) takes_more();
  }
  bool closed() const { return closed_; }
  const std::string& close_reason() const { return reason_; }
  bool paused() const { return paused_; }
  session::Session* session() { return owned_.get(); }

  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    fed_ = 0;
  }
  base::TimerId arm(base::Duration after) override;
  void disarm(base::TimerId timer) override;

 private:
  void flush() override;
  void finish_close(std::string_view reason, session::Ending ending) override;
  void drop() override { drop_pending(); }
  void drop_timers();
  bool read_body();

  std::unique_ptr<session::Session> owned_;
  std::string input_;
  std::size_t fed_ = 0;  // of input_: the session has seen as much and wants more
  std::size_t read_limit_ = 256 * 1024;
  std::string received_;
  std::string reason_;
  std::set<base::TimerId> timers_;
  bool accepting_ = true;
  bool paused_ = false;
  bool closed_ = false;
};

}  // namespace spanwire::test
