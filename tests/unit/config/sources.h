// Files and an environment that exist in memory only, and short ways to parse with them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/parser.h"

namespace spanwire::config_test {

struct World {
  std::map<std::string, std::string> files = {};
  std::map<std::string, std::string> environment = {};
  config::Limits limits = {};

  config::Sources sources() const {
    return {
        .read = [this](const std::string& path) -> base::Result<std::string> {
          const auto found = files.find(path);
          if (found == files.end()) return base::fail("cannot read " + path);
          return found->second;
        },
        .environment = [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment.find(name);
          if (found == environment.end()) return std::nullopt;
          return found->second;
        },
        .limits = limits,
    };
  }

  base::Result<config::Tree> parse(std::string_view text) const {
    return config::parse(text, "dir/main.conf", sources());
  }
};

// The tree as JSON, or "error: " and the text of the error.
inline std::string shown(const base::Result<config::Tree>& tree) {
  if (!tree) return "error: " + tree.error().text;
  std::string json = config::digest_text(*tree);
  json.pop_back();
  return json;
}

inline std::string shown(std::string_view text, const World& world = {}) {
  return shown(world.parse(text));
}

}  // namespace spanwire::config_test
