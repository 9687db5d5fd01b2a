// What changed between two configurations, for a reload.
#pragma once

#include <string>
#include <vector>

#include "config/schema.h"

namespace spanwire::config {

struct Change {
  std::string path;  // dotted: "mqtt.port", "users[1].password", "accounts.A.limits"
  bool reloadable = false;

  friend bool operator==(const Change&, const Change&) = default;
};

// In the order of the schema, which must be the same object for both. Lists and named blocks are
// compared member by member; one that is only on one side is a change of its own. Whether a value
// was written or is its default makes no difference, except that a block appears or goes.
std::vector<Change> diff(const Values& before, const Values& after);

}  // namespace spanwire::config
