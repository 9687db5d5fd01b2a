#include "config/read_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace spanwire::config {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

tl::unexpected<base::Error> cannot_read(const std::string& path, int error) {
  return base::fail(fmt::format("cannot read {}: {}; check the name and its permissions", path,
                                std::generic_category().message(error)));
}

}  // namespace

base::Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return cannot_read(path, errno);
  std::string text;
  char buffer[16 * 1024];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, size);
    if (text.size() > max_bytes) {
      return base::fail(fmt::format("{} is larger than {} bytes; split it", path, max_bytes));
    }
  }
  if (std::ferror(file.get()) != 0) return cannot_read(path, errno);
  return text;
}

Sources system_sources() {
  Sources sources;
  sources.read = [limit = sources.limits.text_bytes](const std::string& path) {
    return read_file(path, limit);
  };
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return sources;
}

}  // namespace spanwire::config
