// CONNECT: what a client says of itself and asks for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spanwire::nats {

// Before the first CONNECT a client is treated by these defaults.
struct ConnectOptions {
  bool echo = true;
  bool verbose = true;
  bool pedantic = true;
  bool tls_required = false;
  bool headers = false;
  bool no_responders = false;
  bool new_account = false;   // refused: accounts are not made by their users
  std::int64_t protocol = 0;  // 0, or 1: takes an INFO at any time; others are refused
  std::string account;        // refused
  std::string nkey;
  std::string jwt;
  std::string sig;
  std::string auth_token;
  std::string user;
  std::string pass;
  std::string name;
  std::string lang;
  std::string version;
  std::string remote_account;  // of leaf nodes
  std::string proxy_sig;

  bool operator==(const ConnectOptions&) const = default;
};

// Reads the JSON of a CONNECT over `options`: what it leaves out, or gives as null, stays as it is,
// also in the second CONNECT of a connection. Unknown members are ignored; other JSON than an
// object, or a member of the wrong type, is an error, after which the connection closes without a
// word.
base::Status parse_connect(std::string_view json, ConnectOptions& options);

}  // namespace spanwire::nats
