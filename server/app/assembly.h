// The server put together: loops, services, wires and listeners, from settings that were checked.
#pragma once

#include <absl/functional/function_ref.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/loop_services.h"
#include "auth/authenticator.h"
#include "base/result.h"
#include "net/server.h"
#include "wire/wire.h"

namespace spanwire::app {

// One wire at one address.
struct ListenerSettings {
  std::size_t wire = 0;  // index into the wires
  net::ListenSpec address;
};

struct AssemblySettings {
  net::ServerSettings net;
  auth::Settings auth;
  wire::ServerIdentity identity;
};

// Lives on the main thread from before the loops start until after they have stopped.
class Assembly {
 public:
  Assembly(const AssemblySettings& settings, Helpers& helpers);
  ~Assembly();
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  net::Server& net() { return net_; }
  const wire::ServerIdentity& identity() const { return identity_; }
  LoopServices& services(std::size_t loop) { return *sites_[loop].services; }
  // The server's own principals, one for each account.
  std::vector<base::Ref<const account::Principal>> internal_principals() const {
    return authenticator_.internal();
  }

  // Binds; returns the port.
  base::Result<std::uint16_t> listen(const ListenerSettings& listener);
  // Makes every wire's bridge on every loop. After the listeners, whose ports some wires tell their
  // clients, and before start().
  void install(std::vector<wire::Wire> wires);
  void start() { net_.start(); }
  // Every wire with its bridge on a loop; on that loop, after install().
  void visit_bridges(std::size_t loop,
                     absl::FunctionRef<void(std::string_view wire, wire::Bridge&)> visit);
  // Graceful; afterwards no loop runs. `when_quiet` is called when no socket is read any more and
  // all that was read has been routed, while the loops still run.
  void shutdown(const std::function<void()>& when_quiet = {});

 private:
  // What belongs to one loop.
  struct Site {
    std::unique_ptr<LoopServices> services;
    std::vector<std::unique_ptr<wire::Bridge>> bridges;  // by wire
  };

  wire::ServerIdentity identity_;
  auth::Authenticator authenticator_;
  Helpers& helpers_;
  net::Server net_;
  std::vector<std::size_t> listener_wires_;  // by listener
  std::vector<wire::Wire> wires_;
  std::vector<Site> sites_;
};

}  // namespace spanwire::app
