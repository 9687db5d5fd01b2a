#include "tools/loadgen/socket.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace spanwire::loadgen {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

base::Result<AddressList> resolve(const Endpoint& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int rc =
      getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  if (rc != 0) return base::fail(fmt::format("{}: {}", server.host, gai_strerror(rc)));
  return AddressList(found, &freeaddrinfo);
}

base::Status configure(int fd) {
  const int on = 1;
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
    return base::fail(last_error("setsockopt"));
  }
  return {};
}

}  // namespace

Fd::~Fd() {
  if (number_ >= 0) ::close(number_);
}

std::string last_error(std::string_view what) {
  return fmt::format("{}: {}", what, std::strerror(errno));
}

base::Result<Fd> dial(const Endpoint& server) {
  auto addresses = resolve(server);
  if (!addresses) return tl::unexpected(addresses.error());
  const addrinfo& address = **addresses;
  Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return base::fail(last_error("socket"));
  if (base::Status done = configure(fd.get()); !done) return tl::unexpected(done.error());
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
    return base::fail(last_error(fmt::format("connect to {}:{}", server.host, server.port)));
  }
  return fd;
}

base::Status allow_connections(std::uint64_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return base::fail(last_error("getrlimit"));
  limit.rlim_cur = limit.rlim_max;
  constexpr std::uint64_t spare = 64;  // files, and what the process has open already
  if (limit.rlim_max < count + spare || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return base::fail(fmt::format("{} connections are more than this user may open", count));
  }
  return {};
}

base::Status send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return base::fail(last_error("send"));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

base::Status receive_some(int fd, std::string& into) {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail(last_error("receive"));
    if (got == 0) return base::fail("the server closed a connection");
    into.append(buffer.data(), static_cast<std::size_t>(got));
    return {};
  }
}

base::Result<Poller> Poller::create() {
  Fd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (fd.get() < 0) return base::fail(last_error("epoll_create1"));
  return Poller(std::move(fd));
}

base::Status Poller::add(int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{.events = events, .data = {.u64 = tag}};
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::fail(last_error("epoll_ctl"));
  }
  return {};
}

base::Status Poller::remove(int fd) {
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr) != 0) {
    return base::fail(last_error("epoll_ctl"));
  }
  return {};
}

std::span<const epoll_event> Poller::wait(int timeout_ms) {
  const int ready =
      ::epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  return std::span(events_).first(static_cast<std::size_t>(ready > 0 ? ready : 0));
}

}  // namespace spanwire::loadgen
