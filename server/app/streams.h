// JetStream in this process: its store on the disk, its part on each loop, its start and end.
#pragma once

#include <memory>

#include "app/assembly.h"
#include "app/jetstream_config.h"
#include "base/result.h"
#include "jetstream/server.h"
#include "store/store.h"

namespace spanwire::app {

// Lives on the main thread, shorter than the assembly and its helpers.
class Streams {
 public:
  // Opens the store: takes its lock and replays its journal. Before the loops run. The errors say
  // what to do.
  static base::Result<std::unique_ptr<Streams>> open(const JetStreamConfig& config,
                                                     Assembly& assembly, Helpers& helpers);
  ~Streams();

  // Before Assembly::install(), whose bridges may open streams then.
  void install();
  // Returns when every stream that was found is there; the loops run. Says in the log what is
  // taking long.
  void wait_until_ready() const;
  // Commits what streams were told and closes their logs. No socket is read any more, and the loops
  // still run.
  void stop();

  jetstream::Server& server() { return server_; }

 private:
  class StoreWorkers;

  Streams(jetstream::Settings settings, std::unique_ptr<StoreWorkers> workers,
          std::unique_ptr<store::Store> store, Assembly& assembly);

  Assembly& assembly_;
  std::unique_ptr<StoreWorkers> workers_;
  jetstream::Server server_;
};

}  // namespace spanwire::app
