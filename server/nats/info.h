// INFO: what the server says of itself, first of all and again when it changes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spanwire::nats {

// A field is left out of the JSON where it is empty, false or 0, except where noted.
struct Info {
  std::string server_id;    // always
  std::string server_name;  // always
  std::string version;      // always; of the compatible server: clients switch features on it
  std::int32_t proto = 1;   // always
  std::string git_commit;
  std::string go;         // always
  std::string host;       // always
  std::int32_t port = 0;  // always
  bool headers = true;    // always
  bool auth_required = false;
  bool tls_required = false;
  bool tls_verify = false;
  bool tls_available = false;
  std::int32_t max_payload = 1 << 20;  // always
  bool jetstream = false;
  std::string ip;
  std::uint64_t client_id = 0;
  std::string client_ip;
  std::string nonce;
  std::string cluster;
  bool cluster_dynamic = false;
  std::string domain;
  std::vector<std::string> connect_urls;
  std::vector<std::string> ws_connect_urls;
  bool ldm = false;
  bool connect_info = false;  // this INFO answers a CONNECT
  std::string remote_account;
  bool acc_is_sys = false;
  std::int32_t api_lvl = 0;
  std::string xkey;
  std::string spanwire;  // our own version, behind all others
};

// Appends `INFO {json} ` and CR LF, with that blank: fields in nats-server's order.
void append_info(std::string& out, const Info& info);

// A client may send INFO, and the reference takes it without using it. An error, after which the
// connection closes without a word, where it is no JSON object or a member has the wrong type.
base::Status check_info(std::string_view json);

}  // namespace spanwire::nats
