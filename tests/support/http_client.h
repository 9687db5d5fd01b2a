// The client's side of HTTP/1.1, for tests: requests as text, answers taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/support/test_peer.h"

namespace spanwire::test {

struct HttpAnswer {
  int status = 0;
  std::string head;  // all lines, each with its CRLF
  std::string body;

  // The value of a field, as it is spelled; nothing if there is none.
  std::optional<std::string> field(std::string_view name) const;
};

std::string http_request(std::string_view method, std::string_view target,
                         std::string_view body = "", std::string_view fields = "");

// Takes one answer off the front of `bytes`; none if it is not complete. The answer to a HEAD has
// no body.
std::optional<HttpAnswer> take_answer(std::string& bytes, bool head = false);

}  // namespace spanwire::test
