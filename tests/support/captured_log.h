// What the code under test writes into the log.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "logging/logging.h"

namespace spanwire::test {

// The log goes into a file as long as this lives.
class CapturedLog {
 public:
  explicit CapturedLog(logging::Levels levels = {}) {
    const int descriptor = ::mkstemp(path_.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    REQUIRE(logging::configure({.file = path_, .timestamps = false}));
    logging::set_levels(levels);
  }
  ~CapturedLog() {
    logging::set_levels({});
    static_cast<void>(logging::configure({}));
    ::unlink(path_.c_str());
  }

  // What was written since the last call, from the level's label on.
  std::vector<std::string> lines() {
    std::ifstream file(path_);
    file.seekg(static_cast<std::streamoff>(read_));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      read_ += line.size() + 1;
      const std::size_t label = line.find("] [");
      lines.push_back(label == std::string::npos ? line : line.substr(label + 2));
    }
    return lines;
  }

 private:
  std::string path_ = "/tmp/trace-test-XXXXXX";
  std::size_t read_ = 0;
};

// Lines as one text, so that a check that fails shows them.
inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

}  // namespace spanwire::test
