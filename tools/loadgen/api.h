// Asking JetStream for streams and consumers, in blocking calls before and after a measured part.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "json/document.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

class Api {
 public:
  struct Request {
    std::string subject;  // behind "$JS.API."
    std::string body;     // JSON, or nothing
  };

  static base::Result<Api> open(const Endpoint& server);

  // Sends a request and returns its answer; one that tells of an error is an error here.
  base::Result<json::Document> ask(const Request& request);
  // The same for many whose answers say no more than that it is done; a few are under way at once.
  base::Status ask_all(std::uint64_t count, const std::function<Request(std::uint64_t)>& make);

 private:
  Api(Fd fd, std::string inbox) : fd_(std::move(fd)), inbox_(std::move(inbox)) {}

  void append(std::string& out, const Request& request);
  // The next answer; they may come in any order.
  base::Result<std::string> receive();

  Fd fd_;
  std::string inbox_;    // another one for each
  std::string waiting_;  // what has arrived and was not read yet
  std::uint64_t number_ = 0;
};

// An answer of the API, checked for an error.
base::Result<json::Document> read_answer(std::string_view text);

}  // namespace spanwire::loadgen
