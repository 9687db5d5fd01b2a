#include "app/file_limit.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <limits>

namespace spanwire::app {

std::uint64_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::uint64_t>::max();
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur;  // RLIM_INFINITY is the largest number
}

base::Status check_file_limit(std::uint64_t max_connections, std::uint64_t limit) {
  if (limit > own_files && max_connections <= limit - own_files) return {};
  std::string text = fmt::format(
      "max_connections {} needs {} open files, but this process may have {}: raise the hard limit "
      "(ulimit -Hn, LimitNOFILE in systemd)",
      max_connections, max_connections + own_files, limit);
  if (limit > own_files) text += fmt::format(", or set max_connections to {}", limit - own_files);
  return base::fail(std::move(text));
}

}  // namespace spanwire::app
