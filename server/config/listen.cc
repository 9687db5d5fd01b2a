#include "config/listen.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/spelling.h"

namespace spanwire::config {
namespace {

constexpr std::int64_t max_port = 65'535;

tl::unexpected<base::Error> no_address(std::string_view text) {
  return base::fail(
      fmt::format("\"{}\" is no address to listen on; write host:port, [::1]:port or "
                  "a port, -1 for any",
                  shown(text)));
}

bool is_host(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '[' || c == ']' || c == '/';
  });
}

}  // namespace

base::Result<Listen> listen_on(std::int64_t port) {
  if (port < any_port || port > max_port) {
    return base::fail(fmt::format("{} is no port; write 1 to 65535, or -1 for any", port));
  }
  return Listen{.port = static_cast<int>(port)};
}

base::Result<Listen> parse_listen(std::string_view text) {
  std::string_view host;
  std::string_view port = text;
  if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.empty()) return no_address(text);
  } else if (host.find(':') != std::string_view::npos) {
    return no_address(text);  // an IPv6 address without brackets, whose end nobody can tell
  }
  std::int64_t number = 0;
  const char* const end = port.data() + port.size();
  const auto [rest, error] = std::from_chars(port.data(), end, number);
  if (!is_host(host) || port.empty() || rest != end || error != std::errc()) {
    return no_address(text);
  }
  base::Result<Listen> listen = listen_on(number);
  if (listen) listen->host = host;
  return listen;
}

std::string to_text(const Listen& listen) {
  const bool six = listen.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", six ? "[" : "", listen.host, six ? "]" : "", listen.port);
}

}  // namespace spanwire::config
