#include "tests/script/stage.h"

#include <algorithm>
#include <utility>

#include "nats/bridge.h"
#include "tests/script/script_text.h"
#include "tests/script/stage_settings.h"

namespace spanwire::script {
namespace {

constexpr std::int32_t nats_port = 4222;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

}  // namespace

WireKind wire_kind(std::string_view name) {
  if (name == "nats") return WireKind::nats;
  if (name == "mqtt") return WireKind::mqtt;
  if (name == "http") return WireKind::http;
  throw ScriptError("no such wire: " + std::string(name));
}

std::string fill_ports(std::string text) {
  replace_all(text, "{nats_port}", std::to_string(nats_port));
  replace_all(text, "{mqtt_port}", "1883");
  replace_all(text, "{http_port}", "1884");
  return text;
}

bool Stage::Helpers::run(base::Task work, base::Loop& loop, base::Task done) {
  work();
  loop.post(std::move(done));
  return true;
}

base::Result<std::unique_ptr<Stage>> Stage::set_up(const std::string& settings, std::size_t loops) {
  base::Result<StageSettings> read = read_stage_settings(fill_ports(settings));
  if (!read) return base::fail(read.error().text);
  return std::unique_ptr<Stage>(new Stage(*std::move(read), loops));
}

Stage::Stage(StageSettings settings, std::size_t loops)
    : identity_{.id = std::string(56, 'S'),
                .name = settings.server_name.empty() ? std::string(56, 'S') : settings.server_name,
                .version = "0.0.0",
                .nats_version = "2.14.5"},
      authenticator_(std::make_unique<auth::Authenticator>(std::move(settings.authorization))),
      world_(std::make_unique<test::World>(test::WorldSettings{.loops = loops})),
      max_connections_(settings.max_connections) {
  settings.nats.host = "127.0.0.1";
  settings.nats.port = nats_port;
  const auto kind = static_cast<bus::WireKind>(WireKind::nats);
  entrances_.push_back({nats::make_wire(settings.nats, kind), {}});
  for (std::size_t i = 0; i < loops; ++i) {
    services_.push_back(std::make_unique<app::LoopServices>(world_->router(i), identity_,
                                                            *authenticator_, helpers_));
    for (Entrance& entrance : entrances_) {
      entrance.bridges.push_back(entrance.wire.start(*services_.back()));
    }
  }
}

Stage::~Stage() {
  for (test::TestPeer* peer : peers_) peer->hang_up();
  world_->settle();
}

std::size_t Stage::open_connections() const {
  return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(),
                                                [](const auto* peer) { return !peer->closed(); }));
}

test::TestPeer& Stage::connect(WireKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  if (index >= entrances_.size()) throw ScriptError("this wire is not wired up");
  const bool surplus = open_connections() >= max_connections_;
  const std::size_t loop = peers_.size() % world_->loops();
  test::TestPeer& peer = world_->connect(loop);
  if (surplus) peer.set_surplus();
  peers_.push_back(&peer);
  Entrance& entrance = entrances_[index];
  peer.attach(entrance.wire.open(peer, *entrance.bridges[loop]));
  return peer;
}

}  // namespace spanwire::script
