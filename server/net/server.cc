#include "net/server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio.hpp>
#include <latch>
#include <random>
#include <thread>

#include "logging/logging.h"

namespace spanwire::net {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr int backlog = 4096;
// After an accept that failed for want of descriptors or memory.
constexpr base::Duration accept_pause = milliseconds(100);
// A loop that has nothing in flight for so many rounds in a row has come to rest.
constexpr int quiet_rounds = 3;
constexpr base::Duration round_pause = milliseconds(1);

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("net");
  return log;
}

std::string text_of(const tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  const std::string host =
      address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
  return fmt::format("{}:{}", host, endpoint.port());
}

bool means_everywhere(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

}  // namespace

struct Server::Control {
  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), retry(context) {}
    tcp::acceptor acceptor;
    asio::steady_timer retry;
    std::size_t number = 0;
    std::size_t extra = 0;
  };

  explicit Control(Server& owner) : server(owner), signals(context) {}

  asio::error_code open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool both_families);
  base::Result<std::vector<tcp::endpoint>> resolve(const ListenSpec& spec);
  void accept(Listener& listener);
  void wait_for_signal();

  Server& server;
  asio::io_context context{1};
  asio::signal_set signals;
  SignalHandler handler;
  std::vector<std::unique_ptr<Listener>> listeners;
};

asio::error_code Server::Control::open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint,
                                       bool both_families) {
  asio::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(!both_families), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (!error) acceptor.non_blocking(true, error);
  if (error) {
    asio::error_code ignored;
    acceptor.close(ignored);
  }
  return error;
}

base::Result<std::vector<tcp::endpoint>> Server::Control::resolve(const ListenSpec& spec) {
  if (means_everywhere(spec.host)) {
    // The first serves both families; a machine without IPv6 gets the second.
    return std::vector<tcp::endpoint>{{tcp::v6(), spec.port}, {tcp::v4(), spec.port}};
  }
  asio::error_code error;
  tcp::resolver resolver(context);
  const auto found =
      resolver.resolve(spec.host, std::to_string(spec.port), tcp::resolver::passive, error);
  if (error) return base::fail(fmt::format("cannot resolve {}: {}", spec.host, error.message()));
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  return endpoints;
}

void Server::Control::accept(Listener& listener) {
  listener.acceptor.async_wait(tcp::acceptor::wait_read, [this, &listener](asio::error_code error) {
    if (error) return;
    while (true) {
      tcp::endpoint remote;
      tcp::socket socket = listener.acceptor.accept(remote, error);
      if (error == asio::error::would_block || error == asio::error::try_again) break;
      if (error == asio::error::connection_aborted) continue;
      if (error) {
        logger().error(
            "cannot accept a connection: {}; raise the limit of open files if this "
            "goes on",
            error.message());
        listener.retry.expires_after(accept_pause);
        listener.retry.async_wait([this, &listener](asio::error_code stopped) {
          if (!stopped) accept(listener);
        });
        return;
      }
      asio::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      socket.non_blocking(true, ignored);
      server.on_accepted(Descriptor(socket.release()), listener.number, listener.extra,
                         text_of(remote));
    }
    accept(listener);
  });
}

void Server::Control::wait_for_signal() {
  signals.async_wait([this](asio::error_code error, int signal) {
    if (error) return;
    handler(signal);
    wait_for_signal();
  });
}

Server::Server(const ServerSettings& settings)
    : settings_(settings),
      hub_(settings.loops),
      ledger_(settings.max_buffered_bytes),
      control_(std::make_unique<Control>(*this)) {
  std::random_device seed;
  for (std::size_t i = 0; i < settings.loops; ++i) {
    loops_.push_back(std::make_unique<LoopThread>(static_cast<base::LoopId>(i), hub_, ledger_,
                                                  settings.loop, seed()));
  }
}

Server::~Server() {
  for (auto& loop : loops_) loop->stop();
}

base::Result<std::uint16_t> Server::listen(const ListenSpec& spec) {
  const auto endpoints = control_->resolve(spec);
  if (!endpoints) return tl::unexpected(endpoints.error());
  auto listener = std::make_unique<Control::Listener>(control_->context);
  asio::error_code error;
  for (const tcp::endpoint& endpoint : *endpoints) {
    error = control_->open(listener->acceptor, endpoint, means_everywhere(spec.host));
    if (!error) break;
  }
  if (error) {
    return base::fail(
        fmt::format("cannot listen on {}:{}: {}", spec.host, spec.port, error.message()));
  }
  listener->number = control_->listeners.size();
  listener->extra = spec.extra;
  const std::uint16_t port = listener->acceptor.local_endpoint().port();
  control_->listeners.push_back(std::move(listener));
  return port;
}

void Server::start() {
  for (auto& loop : loops_) loop->start();
  for (auto& listener : control_->listeners) control_->accept(*listener);
}

void Server::run(const std::vector<int>& signals, SignalHandler handler) {
  control_->handler = std::move(handler);
  for (const int signal : signals) control_->signals.add(signal);
  if (!signals.empty()) control_->wait_for_signal();
  const auto guard = asio::make_work_guard(control_->context);
  control_->context.run();
}

void Server::stop() {
  control_->context.stop();
}

void Server::on_accepted(Descriptor socket, std::size_t listener, std::size_t extra,
                         std::string remote) {
  Accepted accepted;
  accepted.socket = std::move(socket);
  accepted.id = accepted_.fetch_add(1) + 1;
  accepted.remote = std::move(remote);
  accepted.listener = listener;
  accepted.surplus = connections() >= settings_.max_connections + extra;
  if (accepted.surplus) refused_.fetch_add(1);
  const auto least = std::min_element(
      loops_.begin(), loops_.end(),
      [](const auto& a, const auto& b) { return a->connections() < b->connections(); });
  (*least)->adopt(std::move(accepted));
}

std::size_t Server::connections() const {
  std::size_t total = 0;
  for (const auto& loop : loops_) total += loop->connections();
  return total;
}

std::size_t Server::sockets() const {
  std::size_t total = 0;
  for (const auto& loop : loops_) total += loop->sockets();
  return total;
}

std::uint64_t Server::total_connections() const {
  return accepted_.load();
}
std::uint64_t Server::refused_connections() const {
  return refused_.load();
}

// Runs `work` on all loops and waits until each has done it.
void Server::on_every_loop(const std::function<void(LoopThread&)>& work) {
  std::latch done(static_cast<std::ptrdiff_t>(loops_.size()));
  for (auto& loop : loops_) {
    loop->post([&work, &done, loop = loop.get()] {
      work(*loop);
      done.count_down();
    });
  }
  done.wait();
}

// What was parsed and the wills pass between the loops until all inboxes stay empty.
void Server::wait_until_quiet(std::chrono::steady_clock::time_point deadline) {
  for (int quiet = 0; quiet < quiet_rounds && std::chrono::steady_clock::now() < deadline;) {
    std::atomic<bool> moving{false};
    on_every_loop([&moving](LoopThread& loop) {
      if (!loop.router().at_rest()) moving.store(true);
    });
    quiet = moving.load() ? 0 : quiet + 1;
    std::this_thread::sleep_for(round_pause);
  }
}

void Server::shutdown(const std::function<void()>& when_quiet) {
  const auto deadline = std::chrono::steady_clock::now() + settings_.shutdown_deadline;
  for (auto& listener : control_->listeners) {
    asio::error_code ignored;
    listener->acceptor.close(ignored);
  }
  on_every_loop([](LoopThread& loop) { loop.stop_reading(); });
  wait_until_quiet(deadline);
  if (when_quiet) {
    when_quiet();
    wait_until_quiet(deadline);
  }
  on_every_loop([](LoopThread& loop) { loop.close_all("Server Shutdown"); });
  while (sockets() != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(round_pause);
  }
  if (sockets() != 0) {
    logger().warn("{} connections did not take what was sent to them in time", sockets());
    while (sockets() != 0) {
      on_every_loop([](LoopThread& loop) { loop.drop_ended(); });
      std::this_thread::sleep_for(round_pause);
    }
  }
  for (auto& loop : loops_) loop->stop();
}

}  // namespace spanwire::net
