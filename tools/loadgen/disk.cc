#include "tools/loadgen/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

namespace spanwire::loadgen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t written_before = std::size_t{16} * 1024 * 1024;

base::Status write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (written != static_cast<ssize_t>(bytes.size())) return base::fail(last_error("write"));
  return ::fdatasync(fd) == 0 ? base::Status() : base::fail(last_error("fdatasync"));
}

}  // namespace

base::Result<Report> run_disk(const Plan& plan) {
  const std::string path = plan.path + "/bare-writes";
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() < 0) return base::fail(last_error(path));
  ::unlink(path.c_str());
  const bool before = plan.shape.disk == Disk::written;
  if (before) {
    const base::Status done = write_at(file.get(), std::string(written_before, '\0'), 0);
    if (!done) return tl::unexpected(done.error());
  }
  const std::string bytes(plan.shape.size, 'x');
  const Meter meter({});
  Report report;
  if (!plan.begun.empty()) std::ofstream(plan.begun).put('\n');
  const auto stop_at = Clock::now() + plan.length;
  const Reading begin = meter.read();
  auto now = Clock::now();
  while (now < stop_at && report.units < plan.messages) {
    const std::uint64_t end = report.units * bytes.size();
    const std::uint64_t offset = before ? end % written_before : end;
    const auto began = now;
    const base::Status done = write_at(file.get(), bytes, offset);
    if (!done) return tl::unexpected(done.error());
    now = Clock::now();
    report.latency.record(static_cast<std::uint64_t>((now - began).count()));
    ++report.units;
  }
  report.span = between(begin, meter.read());
  return report;
}

}  // namespace spanwire::loadgen
