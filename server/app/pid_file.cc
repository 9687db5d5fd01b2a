#include "app/pid_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace spanwire::app {

// In place, since the file may belong to us in a folder that does not; a few bytes in one write.
base::Status write_pid_file(const std::string& path, int pid) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return base::fail(fmt::format("open {}: {}", path, std::strerror(errno)));
  const std::string text = std::to_string(pid);
  const ssize_t written = ::write(file, text.data(), text.size());
  const int problem = written < 0 ? errno : ENOSPC;
  ::close(file);
  if (written == static_cast<ssize_t>(text.size())) return {};
  return base::fail(fmt::format("write {}: {}", path, std::strerror(problem)));
}

}  // namespace spanwire::app
