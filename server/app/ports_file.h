// The file that tells tools where the server listens, for ports that it chose itself:
//
//     {"nats":["nats://127.0.0.1:40177"],"monitoring":["http://127.0.0.1:37135"]}
//
// It appears whole, after the last listener is open, so it also says that the server is up.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spanwire::app {

// The listeners of one kind: nats, monitoring, websocket, or one of our own.
struct PortGroup {
  std::string name;
  std::vector<std::string> urls;
};

// `<dir>/<program>_<pid>.ports`; the program as it was called, without its folder.
std::string ports_file_path(std::string_view dir, std::string_view argv0, int pid);

// As nats-server writes it: in this order, groups without urls left out.
std::string ports_json(std::span<const PortGroup> groups);

// Where somebody can connect to a listener on `host`, a numeric address: `scheme`://`host`:`port`,
// and for 0.0.0.0 or :: one for each of `local` that it covers.
std::vector<std::string> listener_urls(std::string_view scheme, std::string_view host,
                                       std::uint16_t port, std::span<const std::string> local);

// The numeric addresses of this machine, interface by interface.
std::vector<std::string> local_addresses();

base::Status write_ports_file(const std::string& path, std::span<const PortGroup> groups);
base::Status remove_ports_file(const std::string& path);

}  // namespace spanwire::app
