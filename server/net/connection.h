// A TCP connection: moves bytes between a socket and its session.
//
// Life: open; closing (the session is gone, the rest of the outbox is written); draining (all is
// written, the peer's last bytes are thrown away so that it can read ours); retired.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/loop_thread.h"
#include "net/socket.h"
#include "session/peer.h"
#include "session/session.h"

namespace spanwire::net {

class Connection final : public session::Peer {
 public:
  Connection(LoopThread& loop, Accepted accepted);
  ~Connection() override;

  void attach(std::unique_ptr<session::Session> session);

  // What epoll saw.
  void on_events(std::uint32_t events);
  // Reads as much as its share of a turn, once in a turn. True: there may be more to read.
  bool read_some();
  void pause() override { paused_ = true; }
  void resume() override;
  base::TimerId arm(base::Duration after) override;
  void disarm(base::TimerId timer) override;

 private:
  friend class LoopThread;
  enum class Life : std::uint8_t { open, closing, draining, retired };

  void flush() override;
  void finish_close(std::string_view reason, session::Ending ending) override;
  void drop() override;

  bool wants_read() const { return readable_ && !paused_ && life_ == Life::open && !closing(); }
  bool feed_rest();
  bool read_input(std::size_t& got);
  bool read_body(std::size_t& got);
  bool note_read(ssize_t result);
  void take_rest(std::string_view rest);
  void discard_input();
  void start_write_deadline();
  void write_deadline_passed();
  void start_draining();
  void retire();
  void drop_timers();

  LoopThread& loop_;
  Socket socket_;
  std::unique_ptr<session::Session> session_;
  std::string rest_;          // of the last read: a partial frame, or what a pause left over
  bool rest_is_new_ = false;  // the session has not seen all of the rest yet (it had paused)
  bool readable_ = false;
  bool hung_up_ = false;  // the peer has closed its side: read until the end shows
  bool writable_ = true;
  bool paused_ = false;
  bool in_ready_list_ = false;
  std::size_t ready_index_ = 0;  // in that list
  Life life_ = Life::open;
  std::size_t index_ = 0;  // in the loop's list
  std::size_t discarded_ = 0;
  std::vector<base::TimerId> timers_;  // armed by the session
  base::TimerId write_timer_ = base::TimerId::none;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t written_at_deadline_start_ = 0;
};

}  // namespace spanwire::net
