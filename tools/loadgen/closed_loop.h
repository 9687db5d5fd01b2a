// A load of clients that ask, wait for their answers and then ask again: what request-reply and
// HTTP have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "tools/loadgen/report.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

class ClosedLoop {
 public:
  virtual ~ClosedLoop() = default;

  // Opens the clients, warms up, measures. Fails if an answer is missing, wrong or one too many.
  base::Result<Report> run();

 protected:
  // A request and its answer are so many messages of the server's.
  ClosedLoop(Plan plan, std::uint64_t messages) : plan_(std::move(plan)), messages_(messages) {}

  // Opens the clients and adds their sockets to poller().
  virtual base::Status open() = 0;
  virtual std::size_t clients() const = 0;
  // Sends a client's next requests, after counting them with asked().
  virtual base::Status ask(std::size_t client) = 0;
  // A socket has input: reads it, and calls answered() and finished() for what it finds.
  virtual base::Status ready(std::uint64_t tag) = 0;
  // Sends what ask() has only collected, once for all that was ready.
  virtual base::Status flush() { return {}; }
  // After the measured part: whether the server has exactly what it should.
  virtual base::Status verify() { return {}; }

  const Plan& plan() const { return plan_; }
  Poller& poller() { return *poller_; }
  std::string& buffer() { return buffer_; }
  void asked(std::uint64_t requests) { requests_ += requests; }
  void answered() { ++answers_; }
  // A client has all the answers to what it sent then: it asks again while the phase lasts.
  base::Status finished(std::size_t client, base::Time sent_at);
  // The two halves of finished().
  void record(base::Time sent_at);
  base::Status again(std::size_t client) { return sending_ ? ask(client) : base::Status(); }
  // Nobody asks again in this phase.
  void stop() { sending_ = false; }

 private:
  base::Status start();
  base::Status phase(base::Duration length);

  Plan plan_;
  std::uint64_t messages_;
  std::optional<Poller> poller_;  // once open
  std::string buffer_;            // one read of any connection
  std::uint64_t requests_ = 0;    // sent in this phase
  std::uint64_t answers_ = 0;
  bool sending_ = false;
  Histogram latency_;
};

}  // namespace spanwire::loadgen
