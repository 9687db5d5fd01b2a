#include "tests/unit/monitor/fixture.h"

#include <cstdlib>

#include "nats/bridge.h"

namespace spanwire::test {

MonitoredServer::MonitoredServer(WorldSettings settings, auth::Settings authorization,
                                 nats::Settings nats_settings)
    : serving_(settings, std::move(authorization)),
      source_(*this),
      nats_(nats::make_wire(nats_settings, 0)),
      monitor_(monitor::make_wire(source_)) {
  source_.facts_.nats = nats_settings;
  source_.facts_.start = world().loop(0).wall_now();
  for (std::size_t i = 0; i < settings.loops; ++i) {
    nats_bridges_.push_back(nats_.start(serving_.services(i)));
    monitor_bridges_.push_back(monitor_.start(serving_.services(i)));
  }
}

// The sessions go first, while all that they refer to is still there.
MonitoredServer::~MonitoredServer() {
  for (TestPeer* peer : peers_) peer->hang_up();
  if (jetstream_ != nullptr) jetstream_->stop([] {});
  settle();
}

void MonitoredServer::settle() {
  do {
    serving_.settle();
  } while (beside_ && beside_());
}

jetstream::Server& MonitoredServer::start_jetstream(jetstream::Settings settings,
                                                    std::unique_ptr<store::Store> store,
                                                    std::function<bool()> beside) {
  auto principal = base::make_ref<account::Principal>();
  principal->account =
      base::make_ref<account::Account>(account::global_account, account::global_account_name);
  settings.server_name = "test";
  beside_ = std::move(beside);
  jetstream_ = std::make_unique<jetstream::Server>(
      std::move(settings), std::move(store),
      std::vector<base::Ref<const account::Principal>>{std::move(principal)});
  for (std::size_t i = 0; i < monitor_bridges_.size(); ++i) {
    jetstream_->make_node(serving_.services(i));
  }
  jetstream_->start();
  settle();
  return *jetstream_;
}

std::string MonitoredServer::api(std::string_view operation, std::string_view body,
                                 std::size_t loop) {
  std::string bytes = "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\nPUB $JS.API.";
  bytes.append(operation).append(" answer ").append(std::to_string(body.size()));
  bytes.append("\r\n").append(body).append("\r\n");
  TestPeer& peer = client(loop, bytes);
  std::string answer = peer.take();
  peer.hang_up();
  settle();
  return answer;
}

monitor::Bridge& MonitoredServer::bridge(std::size_t loop) {
  return static_cast<monitor::Bridge&>(*monitor_bridges_[loop]);
}

TestPeer& MonitoredServer::client(std::size_t loop, std::string_view bytes) {
  TestPeer& peer = world().connect(loop);
  peers_.push_back(&peer);
  ++accepted_;
  peer.attach(nats_.open(peer, *nats_bridges_[loop]));
  peer.write(bytes);
  settle();
  return peer;
}

PageText MonitoredServer::get(std::string_view target, std::size_t loop) {
  return ask("GET", target, loop);
}

PageText MonitoredServer::ask(std::string_view method, std::string_view target, std::size_t loop,
                              std::string_view fields) {
  TestPeer& peer = begin(method, target, loop, fields);
  settle();
  return page_of(peer);
}

TestPeer& MonitoredServer::begin(std::string_view method, std::string_view target, std::size_t loop,
                                 std::string_view fields) {
  TestPeer& peer = world().connect(loop, remote_);
  peers_.push_back(&peer);
  ++accepted_;
  peer.attach(monitor_.open(peer, *monitor_bridges_[loop]));
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  request.append(fields).append("Connection: close\r\n\r\n");
  peer.write(request);
  return peer;
}

PageText MonitoredServer::page_of(TestPeer& peer) {
  const std::string bytes = peer.take();
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return {};
  return {.status = std::atoi(bytes.substr(9, 3).c_str()),
          .fields = bytes.substr(0, end),
          .body = bytes.substr(end + 4)};
}

}  // namespace spanwire::test
