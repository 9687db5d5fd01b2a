// Protocol scripts as data: the scenarios of a file and their steps (README.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace spanwire::script {

enum class Op : std::uint8_t {
  send,
  expect,
  expect_any_order,
  opens,
  closes,
  stalls,
  resumes,
  speaks,
  connects,
  greeted,  // `informed` too
  closed,
  nothing,
  share,
  answered,
  advance,
};

struct Step {
  int line = 0;
  Op op = Op::send;
  std::string names;                 // a letter for each connection
  std::vector<std::string> texts;    // several only for send and expect_any_order
  std::vector<std::string> headers;  // of answered
};

struct Scenario {
  int line = 0;
  std::string name;
  std::map<std::string, std::string> keys;  // wire, settings, reference, player, cut, pings
  std::vector<Step> steps;                  // sends that follow each other on one connection joined

  std::string key(const std::string& name_of_key) const;
};

// Throws ScriptError with file and line.
std::vector<Scenario> read_scenarios(const std::string& path);

// `500ms`, `2s`.
base::Duration duration(std::string_view text);

}  // namespace spanwire::script
