// A server with JetStream on a disk in memory, which outlives it.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "tests/support/jetstream_world.h"
#include "tests/support/store_world.h"

namespace spanwire::test {

struct JetStreamMachine {
  explicit JetStreamMachine(std::size_t its_loops = 1) : loops(its_loops) { start(); }
  ~JetStreamMachine() { end(); }
  JetStreamMachine(const JetStreamMachine&) = delete;
  JetStreamMachine& operator=(const JetStreamMachine&) = delete;

  void start() {
    const auto make = [this](store::Files&) -> base::Result<std::unique_ptr<store::Committer>> {
      auto made = std::make_unique<PlainCommitter>();
      committer = made.get();
      return made;
    };
    auto opened = store::open_file_store(disk.open(), {}, workers, make);
    REQUIRE_MESSAGE(opened, opened.error().text);
    world = std::make_unique<JetStreamWorld>(JetStreamSettings{
        .loops = loops, .store = *std::move(opened), .beside = [this] { return step(); }});
    world->settle();
    client = std::make_unique<JetStreamClient>(*world, loops - 1);
    client->subscribe("in");
  }
  // Of what works beside the loops.
  bool step() {
    bool any = false;
    while (workers.step() || (!holds_commits && committer->step())) any = true;
    return any;
  }
  void end() {
    client.reset();
    world.reset();
    workers.clear();
  }
  void restart() {
    end();
    start();
  }
  void cut_power() {
    disk.cut_power(random);
    end();
    start();
  }
  std::string api(std::string_view operation, std::string_view body = {}) {
    return client->api(operation, body);
  }

  std::size_t loops;
  bool holds_commits = false;  // the disk takes its time
  base::Random random{1};
  MemoryDisk disk;
  ManualWorkers workers;
  PlainCommitter* committer = nullptr;
  std::unique_ptr<JetStreamWorld> world;
  std::unique_ptr<JetStreamClient> client;
};

}  // namespace spanwire::test
