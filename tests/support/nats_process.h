// A nats-server of its own for a test: a process with JetStream in a temporary folder.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace spanwire::test {

// The program that NATS_SERVER names, or nats-server in PATH.
std::optional<std::string> find_nats_server();

class NatsProcess {
 public:
  // Returns when it listens.
  explicit NatsProcess(const std::string& program);
  ~NatsProcess();
  NatsProcess(const NatsProcess&) = delete;
  NatsProcess& operator=(const NatsProcess&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace spanwire::test
