#include "monitor/bridge.h"

#include "base/assert.h"
#include "monitor/healthz.h"
#include "monitor/index_page.h"
#include "monitor/varz.h"
#include "web/session.h"

namespace spanwire::monitor {
namespace {

constexpr const char* wire_name = "monitor";

web::Settings site_settings() {
  web::Settings settings;
  settings.kind = wire_name;
  return settings;
}

}  // namespace

Bridge::Bridge(wire::Services& services, std::shared_ptr<Shared> shared)
    : services_(services),
      shared_(std::move(shared)),
      turn_(shared_->source.turn(services.loop().id())),
      access_(services),
      site_(make_routes(), access_, site_settings()) {
  shared_->bridges[services.loop().id()] = this;
  turn_.set_end_watch(this);
}

Bridge::~Bridge() {
  turn_.set_end_watch(nullptr);
}

std::unique_ptr<session::Session> Bridge::open(session::Peer& peer) {
  own_.insert(&peer);
  ++own_opened_;
  return std::make_unique<web::Session>(peer, site_);
}

void Bridge::on_ending(const session::Peer& peer, std::string_view /*reason*/) {
  own_.erase(&peer);
}

web::Handler Bridge::page(Path path, void (*make)(Bridge&, const web::Request&, Page)) {
  return [this, path, make](const web::Request& request, web::Answer answer) {
    ++requests_[static_cast<std::size_t>(path)];
    if (pages_->running >= PageCount::limit) {
      return answer.refuse(503, "too many monitoring pages are being made: ask again");
    }
    make(*this, request, Page(std::move(answer), pages_));
  };
}

web::Routes Bridge::make_routes() {
  web::Routes routes;
  const auto add = [&routes](std::string_view path, web::Handler handler) {
    BASE_ASSERT(routes.add({.owner = wire_name,
                            .path = std::string(path),
                            .login = web::Login::none,
                            .handler = std::move(handler)}));
  };
  add("/", [this](const web::Request&, web::Answer answer) {
    ++requests_[static_cast<std::size_t>(Path::index)];
    index_page(services_.identity(), std::move(answer));
  });
  add("/healthz", page(Path::healthz, healthz));
  add("/varz", page(Path::varz, varz));
  return routes;
}

wire::Wire make_wire(Source& source) {
  auto shared = std::make_shared<Bridge::Shared>(Bridge::Shared{source, {}});
  return {
      .name = wire_name,
      .start =
          [shared](wire::Services& services) {
            shared->bridges.resize(services.loops());
            return std::make_unique<Bridge>(services, shared);
          },
      .open = [](session::Peer& peer, wire::Bridge& bridge) -> std::unique_ptr<session::Session> {
        return static_cast<Bridge&>(bridge).open(peer);
      },
  };
}

}  // namespace spanwire::monitor
