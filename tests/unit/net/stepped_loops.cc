#include "tests/unit/net/stepped_loops.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>

#include "base/assert.h"
#include "tests/support/line_session.h"

namespace spanwire::test {
namespace {

constexpr std::size_t by_reference_from = 8192;

class RoleSession final : public session::Session {
 public:
  RoleSession(bus::Router& router, session::Peer& peer, Role role)
      : peer_(peer),
        role_(std::move(role)),
        port_(router.open(principal_of(), *this, peer.gate())) {
    if (role_.filter.empty()) return;
    const auto filter = subject::parse_nats_filter(role_.filter);
    BASE_ASSERT(filter && port_->subscribe(*filter, {}));
  }

  std::size_t on_bytes(std::string_view input) override {
    took(input);
    return input.size();
  }
  std::span<char> body_space() override {
    return role_.in_body_space ? std::span<char>(body_) : std::span<char>();
  }
  void on_body(std::size_t bytes) override { took({body_.data(), bytes}); }
  bus::Taken on_message(std::span<const bus::Target> /*targets*/,
                        const bus::MessageView& message) override {
    if (message.payload.size() < by_reference_from) {
      peer_.send(message.payload);
    } else {
      const auto kept = message.keep();
      peer_.send(kept, kept->view().payload);
    }
    return bus::Taken::all;
  }
  void on_relief() override {}
  void on_closed(std::string_view /*reason*/) override { port_.reset(); }
  session::Description describe() const override { return {.kind = "role"}; }

 private:
  void took(std::string_view bytes) {
    if (role_.on_read) role_.on_read(bytes.size());
    if (role_.subject.empty()) return;
    bus::MessageView message;
    message.route = message.subject = role_.subject;
    message.payload = bytes;
    const auto admitted = port_->admit(message);
    BASE_ASSERT(admitted);
    port_->route(*admitted);
  }

  session::Peer& peer_;
  Role role_;
  bus::OwnedPort port_;
  std::array<char, 1024> body_{};
};

}  // namespace

std::size_t NearEnd::write(std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const std::string_view rest = bytes.substr(written);
    const ssize_t result =
        ::send(descriptor_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result <= 0) break;
    written += static_cast<std::size_t>(result);
  }
  return written;
}

std::string NearEnd::take() {
  std::string taken;
  std::array<char, 64 * 1024> piece;
  for (;;) {
    const ssize_t result = ::recv(descriptor_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (result <= 0) return taken;
    taken.append(piece.data(), static_cast<std::size_t>(result));
  }
}

SteppedLoops::SteppedLoops(std::size_t loops, const net::LoopSettings& settings) : hub_(loops) {
  for (std::size_t i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<net::LoopThread>(static_cast<base::LoopId>(i), hub_, ledger_,
                                                       settings, 1 + i));
    loops_.back()->set_open([this, &loop = *loops_.back()](session::Peer& peer, std::size_t role) {
      return std::make_unique<RoleSession>(loop.router(), peer, roles_[role]);
    });
  }
}

SteppedLoops::~SteppedLoops() {
  for (auto& loop : loops_) {
    loop->close_all("Test Over");
    while (loop->sockets() != 0) {
      loop->step();
      loop->drop_ended();
    }
    loop->step();
  }
}

NearEnd& SteppedLoops::connect(std::size_t loop, Role role, int send_buffer_bytes) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
  net::Descriptor far(ends[1]);
  near_.push_back(std::make_unique<NearEnd>(net::Descriptor(ends[0])));
  const int most = 4 << 20;  // the kernel makes it less
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
  const int bytes = send_buffer_bytes != 0 ? send_buffer_bytes : most;
  ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  roles_.push_back(std::move(role));
  loops_[loop]->adopt({.socket = std::move(far),
                       .id = near_.size(),
                       .remote = "127.0.0.1:1",
                       .listener = roles_.size() - 1});
  step(loop);
  return *near_.back();
}

std::string SteppedLoops::take(std::size_t loop, NearEnd& end, std::size_t bytes) {
  std::string taken = end.take();
  for (int turn = 0; turn < 100 && taken.size() < bytes; ++turn) {
    step(loop);
    taken += end.take();
  }
  return taken;
}

}  // namespace spanwire::test
