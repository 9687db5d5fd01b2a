// Sockets and readiness, as the generator uses them: connections are opened and asked in blocking
// calls with a deadline, and the measured part passes MSG_DONTWAIT.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace spanwire::loadgen {

// An open file descriptor, closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd();

  int get() const { return number_; }

 private:
  int number_ = -1;
};

struct Endpoint {
  std::string host = "127.0.0.1";  // an address in digits
  std::uint16_t port = 0;
};

// A connected TCP socket without Nagle's delay; its blocking calls give up after ten seconds.
base::Result<Fd> dial(const Endpoint& server);
// Lets this process open so many connections; an error if its hard limit does not.
base::Status allow_connections(std::uint64_t count);
// Sends everything, waiting for room.
base::Status send_all(int fd, std::string_view bytes);
// Appends what is there, waiting for at least one byte; the end of the stream is an error.
base::Status receive_some(int fd, std::string& into);
// The text of errno after a failed system call.
std::string last_error(std::string_view what);

class Poller {
 public:
  static base::Result<Poller> create();
  base::Status add(int fd, std::uint32_t events, std::uint64_t tag);
  base::Status remove(int fd);
  // What is ready, valid until the next call; an empty span after `timeout_ms` or a signal.
  std::span<const epoll_event> wait(int timeout_ms);

 private:
  explicit Poller(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace spanwire::loadgen
