// The keys of a configuration that scripts use, as the settings of the wires.
#pragma once

#include <string>

#include "auth/authenticator.h"
#include "base/result.h"
#include "nats/settings.h"

namespace spanwire::script {

struct StageSettings {
  std::string server_name;
  std::size_t max_connections = 65536;
  auth::Settings authorization;
  nats::Settings nats;
};

base::Result<StageSettings> read_stage_settings(const std::string& text);

}  // namespace spanwire::script
