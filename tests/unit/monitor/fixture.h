// A server with the NATS wire and monitoring, on manual loops.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "monitor/bridge.h"
#include "monitor/connz_query.h"
#include "tests/support/serving_world.h"

namespace spanwire::test {

// What a page was answered with.
struct PageText {
  int status = 0;
  std::string fields;  // the header
  std::string body;

  bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

class MonitoredServer {
 public:
  explicit MonitoredServer(WorldSettings settings = {}, auth::Settings authorization = {},
                           nats::Settings nats_settings = {});
  ~MonitoredServer();

  World& world() { return serving_.world(); }
  void settle();
  // JetStream is on from now on. `beside` is a step of what works beside the loops for the store;
  // false: nothing is left to do.
  jetstream::Server& start_jetstream(jetstream::Settings settings = {},
                                     std::unique_ptr<store::Store> store = nullptr,
                                     std::function<bool()> beside = nullptr);
  // What the JetStream API answers a new client.
  std::string api(std::string_view operation, std::string_view body = {}, std::size_t loop = 0);
  monitor::Facts& facts() { return source_.facts_; }
  monitor::NetCounts& net_counts() { return source_.counts_; }
  monitor::Bridge& bridge(std::size_t loop);

  // Where connections of monitoring come from, from now on.
  void set_remote(std::string remote) { remote_ = std::move(remote); }

  // A NATS client that has sent `bytes`.
  TestPeer& client(std::size_t loop, std::string_view bytes);
  // What a new connection of monitoring gets.
  PageText get(std::string_view target, std::size_t loop = 0);
  PageText ask(std::string_view method, std::string_view target, std::size_t loop = 0,
               std::string_view fields = "");
  // The same in two steps: the page is on its way, but has not been answered yet.
  TestPeer& begin(std::string_view method, std::string_view target, std::size_t loop = 0,
                  std::string_view fields = "");
  static PageText page_of(TestPeer& peer);

 private:
  class Source final : public monitor::Source {
   public:
    explicit Source(MonitoredServer& server) : server_(server) {}
    jetstream::Server* jetstream() const override { return server_.jetstream_.get(); }
    session::Turn& turn(base::LoopId loop) override { return server_.world().turn(loop); }
    void visit_bridges(
        base::LoopId loop,
        absl::FunctionRef<void(std::string_view wire, wire::Bridge&)> visit) override {
      visit("nats", *server_.nats_bridges_[loop]);
      visit("monitor", *server_.monitor_bridges_[loop]);
    }
    const monitor::Facts& facts() const override { return facts_; }
    monitor::NetCounts net_counts(base::LoopId) const override { return counts_; }
    std::uint64_t accepted_connections() const override { return server_.accepted_; }
    std::uint64_t refused_connections() const override { return 5; }
    std::size_t buffered_bytes() const override { return 6; }
    monitor::Usage usage() override { return {.resident_bytes = 7000, .cpu_percent = 12.5}; }

    monitor::Facts facts_;
    monitor::NetCounts counts_;

   private:
    MonitoredServer& server_;
  };

  ServingWorld serving_;
  Source source_;
  wire::Wire nats_;
  wire::Wire monitor_;
  std::vector<std::unique_ptr<wire::Bridge>> nats_bridges_;
  std::vector<std::unique_ptr<wire::Bridge>> monitor_bridges_;
  std::unique_ptr<jetstream::Server> jetstream_;
  std::function<bool()> beside_;
  std::vector<TestPeer*> peers_;
  std::uint64_t accepted_ = 0;
  std::string remote_;
};

}  // namespace spanwire::test
