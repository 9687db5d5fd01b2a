#include "tests/support/nats_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/assert.h"

namespace spanwire::test {
namespace {

namespace fs = std::filesystem;

// The server writes the port that it was given into a file of this folder, once it listens.
std::uint16_t read_port(const fs::path& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".ports") continue;
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || text.find('}') == std::string::npos) continue;
    return static_cast<std::uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10));
  }
  return 0;
}

[[noreturn]] void become(const std::string& program, const std::string& folder) {
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(null, STDERR_FILENO);
  ::execl(program.c_str(), program.c_str(), "-a", "127.0.0.1", "-p", "-1", "-js", "-sd",
          folder.c_str(), "--ports_file_dir", folder.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

std::optional<std::string> find_nats_server() {
  if (const char* given = std::getenv("NATS_SERVER"); given != nullptr && *given != '\0') {
    return given;
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/nats-server";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

NatsProcess::NatsProcess(const std::string& program) {
  std::string name = (fs::temp_directory_path() / "spanwire-nats-XXXXXX").string();
  BASE_ASSERT(::mkdtemp(name.data()) != nullptr);
  folder_ = name;
  pid_ = ::fork();
  BASE_ASSERT(pid_ >= 0);
  if (pid_ == 0) become(program, name);
  for (int i = 0; i < 2000 && port_ == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    port_ = read_port(folder_);
  }
  BASE_ASSERT(port_ != 0);  // it did not start
}

NatsProcess::~NatsProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace spanwire::test
