#include "app/ports_file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "json/writer.h"

namespace spanwire::app {

namespace {

constexpr mode_t file_mode = 0666;  // less what the user's mask takes, as nats-server has it

bool is_v6(std::string_view address) {
  return address.find(':') != std::string_view::npos;
}

std::string url(std::string_view scheme, std::string_view host, std::uint16_t port) {
  return is_v6(host) ? fmt::format("{}://[{}]:{}", scheme, host, port)
                     : fmt::format("{}://{}:{}", scheme, host, port);
}

base::Status failed(std::string_view what, const std::string& path) {
  return base::fail(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

// The address in figures; empty if it is of another family.
std::string numeric(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  } else {
    return {};
  }
  return ::inet_ntop(address->sa_family, bytes, text.data(), text.size());
}

base::Status write_file(const std::string& path, std::string_view text) {
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, file_mode);
  if (file < 0) return failed("open", path);
  base::Status status;
  while (!text.empty() && status) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) status = failed("write", path);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(file) != 0 && status) status = failed("close", path);
  return status;
}

}  // namespace

std::string ports_file_path(std::string_view dir, std::string_view argv0, int pid) {
  const std::string_view separator = dir.ends_with('/') ? "" : "/";
  return fmt::format("{}{}{}_{}.ports", dir, separator, argv0.substr(argv0.rfind('/') + 1), pid);
}

std::string ports_json(std::span<const PortGroup> groups) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  for (const PortGroup& group : groups) {
    if (group.urls.empty()) continue;
    writer.key(group.name).begin_array();
    for (const std::string& each : group.urls) writer.value(each);
    writer.end_array();
  }
  writer.end_object();
  return text;
}

std::vector<std::string> listener_urls(std::string_view scheme, std::string_view host,
                                       std::uint16_t port, std::span<const std::string> local) {
  const bool covers_all = host == "::";
  if (!covers_all && host != "0.0.0.0") return {url(scheme, host, port)};
  std::vector<std::string> urls;
  for (const std::string& address : local) {
    if (covers_all || !is_v6(address)) urls.push_back(url(scheme, address, port));
  }
  return urls;
}

std::vector<std::string> local_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  std::vector<std::pair<unsigned, std::string>> found;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    std::string address = numeric(entry->ifa_addr);
    if (!address.empty()) {
      found.emplace_back(::if_nametoindex(entry->ifa_name), std::move(address));
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  std::vector<std::string> addresses;
  addresses.reserve(found.size());
  for (auto& [index, address] : found) addresses.push_back(std::move(address));
  return addresses;
}

// Under another name first: who watches the folder must never read half of it.
base::Status write_ports_file(const std::string& path, std::span<const PortGroup> groups) {
  const std::string unfinished = path + ".tmp";
  base::Status status = write_file(unfinished, ports_json(groups));
  if (status && std::rename(unfinished.c_str(), path.c_str()) != 0) status = failed("rename", path);
  if (!status) ::unlink(unfinished.c_str());
  return status;
}

base::Status remove_ports_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failed("remove", path);
  return {};
}

}  // namespace spanwire::app
