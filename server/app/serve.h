// A server from start to end: log, listeners, signals, graceful stop.
#pragma once

#include "app/options.h"
#include "app/server_config.h"

namespace spanwire::app {

// Runs until a signal ends it. Returns the exit code; errors are in the log.
int serve(const Program& program, std::string_view argv0, ServerConfig config);

}  // namespace spanwire::app
