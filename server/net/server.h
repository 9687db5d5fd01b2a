// The loops, the listeners and the control thread together: accepts, spreads connections, stops.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/router.h"
#include "net/loop_thread.h"
#include "session/turn.h"

namespace spanwire::net {

struct ServerSettings {
  std::size_t loops = 1;
  LoopSettings loop;
  std::size_t max_connections = 65'536;                   // all listeners together
  std::size_t max_buffered_bytes = std::size_t{4} << 30;  // what all peers have pending together
  base::Duration shutdown_deadline = std::chrono::seconds(10);
};

struct ListenSpec {
  std::string host;        // a name or an address; `0.0.0.0`, `::` or empty: every address, both
                           // IPv4 and IPv6
  std::uint16_t port = 0;  // 0: any free one
  std::size_t extra = 0;   // so many connections of this listener fit in when max_connections are
                           // there: operators look in just then
};

// Used by one thread, the main one; the functions that say so are called elsewhere.
class Server {
 public:
  using SignalHandler = std::function<void(int)>;

  explicit Server(const ServerSettings& settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bus::Hub& hub() { return hub_; }
  session::Ledger& ledger() { return ledger_; }
  std::size_t loops() const { return loops_.size(); }
  LoopThread& loop(std::size_t index) { return *loops_[index]; }

  // Binds and begins to queue connections; none is accepted before start(). Returns the port.
  // Listeners are numbered in the order of the calls: LoopThread::Open gets the number.
  base::Result<std::uint16_t> listen(const ListenSpec& spec);

  // Starts the loops, then accepting.
  void start();
  // Runs the control thread's work on the calling thread until stop(): accepts, and calls `handler`
  // with each signal of `signals` that arrives.
  void run(const std::vector<int>& signals, SignalHandler handler);
  // Makes run() return. From any thread, and from the handler.
  void stop();

  // The graceful end, after run() has returned: stops reading, lets sessions say goodbye, hands
  // over and drains until nothing moves, writes what is left, closes; at the deadline it drops what
  // still waits.
  // `when_quiet` is called in between, when nothing moves any more; what it sets in motion is
  // waited for too.
  void shutdown(const std::function<void()>& when_quiet = {});

  std::uint64_t total_connections() const;    // since the start
  std::size_t connections() const;            // now
  std::uint64_t refused_connections() const;  // above max_connections

 private:
  struct Control;  // all of asio

  std::size_t sockets() const;
  void on_accepted(Descriptor socket, std::size_t listener, std::size_t extra, std::string remote);
  void on_every_loop(const std::function<void(LoopThread&)>& work);
  void wait_until_quiet(std::chrono::steady_clock::time_point deadline);

  ServerSettings settings_;
  bus::Hub hub_;
  session::Ledger ledger_;
  std::vector<std::unique_ptr<LoopThread>> loops_;
  std::unique_ptr<Control> control_;
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace spanwire::net
