#include "app/assembly.h"

namespace spanwire::app {

Assembly::Assembly(const AssemblySettings& settings, Helpers& helpers)
    : identity_(settings.identity),
      authenticator_(settings.auth),
      helpers_(helpers),
      net_(settings.net) {
  for (std::size_t i = 0; i < net_.loops(); ++i) {
    Site site;
    site.services =
        std::make_unique<LoopServices>(net_.loop(i).router(), identity_, authenticator_, helpers_);
    sites_.push_back(std::move(site));
  }
}

Assembly::~Assembly() = default;

base::Result<std::uint16_t> Assembly::listen(const ListenerSettings& listener) {
  auto port = net_.listen(listener.address);
  if (port) listener_wires_.push_back(listener.wire);
  return port;
}

void Assembly::install(std::vector<wire::Wire> wires) {
  wires_ = std::move(wires);
  for (std::size_t i = 0; i < net_.loops(); ++i) {
    Site& site = sites_[i];
    for (const wire::Wire& wire : wires_) site.bridges.push_back(wire.start(*site.services));
    net_.loop(i).set_open([this, i](session::Peer& peer, std::size_t listener) {
      const std::size_t wire = listener_wires_[listener];
      return wires_[wire].open(peer, *sites_[i].bridges[wire]);
    });
  }
}

void Assembly::visit_bridges(std::size_t loop,
                             absl::FunctionRef<void(std::string_view wire, wire::Bridge&)> visit) {
  for (std::size_t i = 0; i < wires_.size(); ++i) visit(wires_[i].name, *sites_[loop].bridges[i]);
}

void Assembly::shutdown(const std::function<void()>& when_quiet) {
  net_.shutdown(when_quiet);
  for (Site& site : sites_) site.bridges.clear();
}

}  // namespace spanwire::app
