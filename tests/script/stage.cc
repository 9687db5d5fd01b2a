#include "tests/script/stage.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "app/loop_services.h"
#include "tests/script/script_text.h"

namespace spanwire::script {
namespace {

constexpr std::uint16_t nats_port = 4222;

struct WireInfo {
  std::string wire;      // its name in app/wires.cc
  std::string port;      // nothing listens there, but INFO tells it
  std::string listener;  // what is added to settings that do not name the port
};

const std::map<std::string, WireInfo, std::less<>>& wire_table() {
  static const std::map<std::string, WireInfo, std::less<>> table = {
      {"nats", {"nats", std::to_string(nats_port), "listen: \"127.0.0.1:{nats_port}\"\n"}},
      {"mqtt", {"mqtt", "1883", "mqtt { host: \"127.0.0.1\", port: {mqtt_port} }\n"}},
      {"http",
       {"http_broker", "1884", "http_broker { host: \"127.0.0.1\", port: {http_port} }\n"}}};
  return table;
}

// A file with that text, as long as it lives: the configuration is read as the server reads it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int descriptor = ::mkstemp(path_.data());
    ok_ = descriptor >= 0 &&
          ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (descriptor >= 0) ::close(descriptor);
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool ok() const { return ok_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/script-XXXXXX";
  bool ok_ = false;
};

wire::ServerIdentity identity_of(const app::ServerConfig& config) {
  const std::string id(56, 'S');
  return {.id = id,
          .name = config.server_name.empty() ? id : config.server_name,
          .version = "0.0.0",
          .nats_version = "2.14.5"};
}

}  // namespace

std::string wire_of(std::string_view name) {
  const auto found = wire_table().find(name);
  if (found == wire_table().end()) throw ScriptError("no such wire: " + std::string(name));
  return found->second.wire;
}

std::string fill_ports(std::string text) {
  for (const auto& [name, info] : wire_table()) {
    const std::string word = "{" + name + "_port}";
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
      text.replace(at, word.size(), info.port);
    }
  }
  return text;
}

base::Result<app::ServerConfig> read_config(std::string text, const std::set<std::string>& wires) {
  for (const auto& [name, info] : wire_table()) {
    const bool wanted = name == "nats" || wires.contains(info.wire);
    const bool named = text.find("{" + name + "_port}") != std::string::npos;
    if (wanted && !named) text = info.listener + text;
  }
  const TemporaryFile file(fill_ports(std::move(text)));
  if (!file.ok()) return base::fail("cannot write " + file.path());
  config::Problems problems;
  app::Options options;
  options.config_file = file.path();
  return app::load_config(options, problems);
}

bool Stage::Helpers::run(base::Task work, base::Loop& loop, base::Task done) {
  work();
  loop.post(std::move(done));
  return true;
}

Stage::Stage(const app::ServerConfig& config, std::size_t loops)
    : identity_(identity_of(config)),
      authenticator_(config.auth),
      world_(test::WorldSettings{.loops = loops}),
      max_connections_(config.net.max_connections) {
  for (wire::Wire& wire : app::make_wires(config, nats_port)) {
    entrances_.push_back({std::move(wire), {}});
  }
  for (std::size_t i = 0; i < loops; ++i) {
    services_.push_back(
        std::make_unique<app::LoopServices>(world_.router(i), identity_, authenticator_, helpers_));
    for (Entrance& entrance : entrances_) {
      entrance.bridges.push_back(entrance.wire.start(*services_.back()));
    }
  }
}

// The sessions go first, while all that they refer to is still there.
Stage::~Stage() {
  for (test::TestPeer* peer : peers_) peer->hang_up();
  world_.settle();
}

std::size_t Stage::open_connections() const {
  return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(),
                                                [](const auto* peer) { return !peer->closed(); }));
}

test::TestPeer& Stage::connect(const std::string& wire) {
  const auto entrance =
      std::find_if(entrances_.begin(), entrances_.end(),
                   [&wire](const Entrance& candidate) { return candidate.wire.name == wire; });
  if (entrance == entrances_.end()) throw ScriptError("the server has no wire " + wire);
  const bool surplus = open_connections() >= max_connections_;
  const std::size_t loop = peers_.size() % world_.loops();
  test::TestPeer& peer = world_.connect(loop);
  if (surplus) peer.set_surplus();
  peers_.push_back(&peer);
  peer.attach(entrance->wire.open(peer, *entrance->bridges[loop]));
  return peer;
}

}  // namespace spanwire::script
