// HTTP requests on connections that stay open, `depth` of them in each write; the next write leaves
// when all of its answers have come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tools/loadgen/report.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

// The length of the response at the front of `in`, body included; nothing if it is not whole. An
// error if its status is not 200 to 299 or its length is not given.
base::Result<std::optional<std::size_t>> response_bytes(std::string_view in);

class HttpRun {
 public:
  explicit HttpRun(Plan plan);

  base::Result<Report> run();

 private:
  struct Client {
    Fd fd;
    std::string partial;        // a response that has not arrived whole
    std::uint32_t awaited = 0;  // responses to the last write
    base::Time sent_at;
  };

  base::Status open();
  base::Status phase(base::Duration length, std::uint64_t requests);
  base::Status send_batch(Client& client);
  base::Status ready(Client& client);
  std::string request(Method method) const;

  Plan plan_;
  std::vector<Client> clients_;
  std::optional<Poller> poller_;
  std::string batch_;           // what one write carries
  std::string buffer_;          // one read of any connection
  std::uint64_t requests_ = 0;  // sent in this phase
  std::uint64_t responses_ = 0;
  bool sending_ = false;
  Histogram latency_;  // from a write to the last of its answers
};

}  // namespace spanwire::loadgen
