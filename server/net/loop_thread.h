// A loop that is a thread: waits in epoll, runs turns (session/turn.h), owns its connections.
//
// Sockets sit in an edge-triggered epoll set of the loop's own; accepting, name look-ups and
// signals are asio's, on the control thread (control.h, docs/decisions/).
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "base/mutex.h"
#include "base/timer_wheel.h"
#include "bus/router.h"
#include "net/descriptor.h"
#include "net/socket.h"
#include "session/session.h"
#include "session/turn.h"

namespace spanwire::net {

class Connection;

// Has the present thread sleep.
void sleep_for(base::Duration time);

struct LoopSettings {
  bus::RouterSettings router;
  base::Duration write_deadline = std::chrono::seconds(10);  // for a peer that takes nothing
  // So long a loop that was at rest waits before it reads, so that what comes singly is read and
  // written together; 0: not at all.
  base::Duration coalesce{};
  // How it waits so long.
  std::function<void(base::Duration)> wait = sleep_for;
};

// A socket that a listener has accepted, on its way to a loop.
struct Accepted {
  Descriptor socket;
  std::uint64_t id = 0;
  std::string remote;
  std::size_t listener = 0;  // which one: says which wire
  bool surplus = false;      // more connections than max_connections
};

// Counts that any thread may read.
struct LoopCounts {
  base::Counter accepted;
  base::Counter closed;
  base::Counter slow_writers;  // closed by the write deadline
  TransferCounts transfers;
};

class LoopThread final : public base::Loop {
 public:
  // Makes the session of a new connection.
  using Open = std::function<std::unique_ptr<session::Session>(session::Peer&, std::size_t)>;

  LoopThread(base::LoopId id, bus::Hub& hub, session::Ledger& ledger, LoopSettings settings,
             std::uint64_t seed);
  ~LoopThread() override;

  // Before start(), or on the loop.
  bus::Router& router() { return router_; }
  session::Turn& turn() { return turn_; }
  void set_open(Open open) { open_ = std::move(open); }

  // Has a thread take one turn after another. Before it, and without it, the owner of the loop may
  // take them one by one; such a turn does not wait for anything to do.
  void start();
  void step() { take_turn(false); }
  // Ends the thread after the present turn. Its connections must be gone. From another thread.
  void stop();

  // From any thread.
  void adopt(Accepted accepted);
  // Those that are open, or on their way here.
  std::size_t connections() const { return open_count_.load(std::memory_order_relaxed); }
  // Those too whose session is gone, but whose last bytes are not yet written.
  std::size_t sockets() const { return socket_count_.load(std::memory_order_relaxed); }
  const LoopCounts& counts() const { return counts_; }

  // Shutting down, on the loop: no more is read; then every connection is closed.
  void stop_reading();
  void close_all(std::string_view reason);
  // Those whose session has ended, whatever they still have to take: closing takes its turns.
  void drop_ended();

  base::LoopId id() const override { return id_; }
  base::Time now() const override { return now_; }
  base::WallTime wall_now() const override { return wall_now_; }
  base::Time exact_now() const override;
  base::TimerId start_timer(base::Duration after, base::Task task) override;
  void cancel_timer(base::TimerId id) override;
  void post(base::Task task) override;

 private:
  friend class Connection;

  void run();
  void take_turn(bool may_rest);
  int wait_ms();
  void wait_for_events(bool may_rest);
  std::size_t poll(int timeout_ms);
  void take_event(const epoll_event& event);
  void run_posted();
  void read_timed();
  void read_ready();
  void read_clocks();
  void open_connection(Accepted accepted);
  void make_ready(Connection& connection);
  void leave_ready(Connection& connection);
  void retire(Connection& connection);
  std::span<char> read_buffer() { return {read_buffer_.get(), read_buffer_bytes}; }

  // One read takes this much; before it there is room for the partial frame of the last.
  static constexpr std::size_t read_bytes = 256 * 1024;
  static constexpr std::size_t read_buffer_bytes = read_bytes + session::max_partial_bytes;

  base::LoopId id_;
  bus::Hub& hub_;
  LoopSettings settings_;
  base::Time now_;
  base::WallTime wall_now_;
  base::TimerWheel timers_;
  bus::Router router_;
  session::Turn turn_;
  Open open_;
  LoopCounts counts_;

  Descriptor epoll_;
  Descriptor wake_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  bool reading_ = true;
  bool unfinished_ = false;  // the last turn left something to do

  base::Mutex mutex_;
  std::vector<base::Task> posted_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<char[]> read_buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<std::size_t> open_count_{0};
  std::atomic<std::size_t> socket_count_{0};
  std::vector<Connection*> ready_;                    // have something to read
  std::vector<Connection*> reading_now_;              // scratch of read_ready()
  std::vector<std::unique_ptr<Connection>> retired_;  // destroyed between turns
};

}  // namespace spanwire::net
