#include "app/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>

namespace spanwire::app {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

base::Duration duration_of(const timeval& time) {
  return seconds(time.tv_sec) + microseconds(time.tv_usec);
}

base::Duration cpu_time() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return {};
  return duration_of(usage.ru_utime) + duration_of(usage.ru_stime);
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!(file >> all_pages >> resident_pages)) return 0;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessUsage::ProcessUsage() : last_time_(std::chrono::steady_clock::now()) {}

monitor::Usage ProcessUsage::read() {
  const base::Time now = std::chrono::steady_clock::now();
  const base::Duration cpu = cpu_time();
  const base::MutexLock lock(mutex_);
  if (now - last_time_ >= seconds(1)) {
    const double share = std::chrono::duration<double>(cpu - last_cpu_) / (now - last_time_);
    percent_ = std::round(share * 1000) / 10;
    last_time_ = now;
    last_cpu_ = cpu;
  }
  return {.resident_bytes = resident_bytes(), .cpu_percent = percent_};
}

}  // namespace spanwire::app
