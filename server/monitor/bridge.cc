#include "monitor/bridge.h"

#include "base/assert.h"
#include "monitor/connz.h"
#include "monitor/healthz.h"
#include "monitor/index_page.h"
#include "monitor/jsz.h"
#include "monitor/subsz.h"
#include "monitor/trace_page.h"
#include "monitor/varz.h"
#include "web/session.h"

namespace spanwire::monitor {
namespace {

constexpr const char* wire_name = "monitor";
// So many closed connections are remembered on each loop, at up to 1 KiB each.
constexpr std::size_t max_closed = 1024;
// Of a page that is made at once; each takes up to 2 us.
constexpr std::size_t max_inline_lines = 500;

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

void Bridge::on_ending(const session::Peer& peer, std::string_view reason) {
  for (auto& [id, job] : jobs_) job->forget(peer);
  if (own_.erase(&peer) != 0) return;
  auto row = std::make_shared<ConnectionRow>(read_connection(peer));
  row->stop = services_.loop().wall_now();
  row->reason = reason;
  closed_.push_back(std::move(row));
  if (closed_.size() > max_closed) closed_.pop_front();
}

std::vector<const session::Peer*> Bridge::shown_peers() const {
  std::vector<const session::Peer*> shown;
  shown.reserve(turn_.sessions());
  for (const session::Peer* peer : turn_.peers()) {
    if (peer->session() != nullptr && !own_.contains(peer)) shown.push_back(peer);
  }
  return shown;
}

void Bridge::run(std::unique_ptr<Job> job) {
  if (job->step()) return;
  const std::uint64_t id = ++last_job_;
  jobs_.emplace(id, std::move(job));
  services_.post(services_.loop().id(), lifeline_.bind([this, id] { run_step(id); }));
}

void Bridge::run_step(std::uint64_t id) {
  if (jobs_.at(id)->step()) {
    jobs_.erase(id);
  } else {
    services_.post(services_.loop().id(), lifeline_.bind([this, id] { run_step(id); }));
  }
}

void Bridge::render(Page page, std::size_t lines, std::function<std::string()> make) {
  if (!page.wanted()) return;
  if (lines <= max_inline_lines) return page.send(make());
  // The page stays here: only the text is made elsewhere.
  auto kept = std::make_shared<Page>(std::move(page));
  auto text = std::make_shared<base::Ref<const bus::Message>>();
  const bool taken =
      services_.offload([make = std::move(make), text] { *text = to_message(make()); },
                        [kept, text] { kept->send(std::move(*text)); });
  if (!taken) kept->refuse(503, "too many pages and logins are waiting: ask again");
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
  BASE_ASSERT(routes.add({.owner = wire_name,
                          .path = std::string(paths[static_cast<std::size_t>(Path::trace)]),
                          .methods = {http::Method::get, http::Method::post, http::Method::del},
                          .handler = page(Path::trace, trace_page)}));
  add("/", [this](const web::Request&, web::Answer answer) {
    ++requests_[static_cast<std::size_t>(Path::index)];
    index_page(services_.identity(), std::move(answer));
  });
  add("/connz", page(Path::connz, connz));
  add("/healthz", page(Path::healthz, healthz));
  add("/jsz", page(Path::jsz, jsz));
  add("/subscriptionsz", page(Path::subsz, subsz));
  add("/subsz", page(Path::subsz, subsz));
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
