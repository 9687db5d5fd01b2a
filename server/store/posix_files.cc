// Files over the system's calls.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "base/mutex.h"
#include "store/files.h"
#include "store/mounts.h"

namespace spanwire::store {

namespace {

// What a person should know and do about this error of the system.
std::string advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "the disk is full: make room there, or give the store another folder";
    case EACCES:
    case EPERM:
      return "no permission: the store's folder must belong to the server's user";
    case EMFILE:
    case ENFILE:
      return "too many open files: raise the limit (ulimit -n, or LimitNOFILE of the service)";
    case EROFS:
      return "the file system is read-only: mount it for writing";
    case EIO:
      return "input/output error: the disk may be failing, see the kernel's log";
    default:
      return std::system_category().message(error);
  }
}

tl::unexpected<base::Error> failed(std::string_view what, const std::string& path, int error) {
  return base::fail(fmt::format("{} {}: {}", what, path, advice(error)));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

Descriptor open_path(const std::string& path, int flags) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (number < 0 && errno == EINTR);
  return Descriptor(number);
}

// More parts than a log has in a round; what is more takes another call.
constexpr std::size_t parts_a_call = 256;

bool are_pages(std::uint64_t offset, std::span<const iovec> parts) {
  return offset % direct_page_bytes == 0 &&
         std::all_of(parts.begin(), parts.end(), [](const iovec& part) {
           return part.iov_len % direct_page_bytes == 0 &&
                  reinterpret_cast<std::uintptr_t>(part.iov_base) % direct_page_bytes == 0;
         });
}

class PosixFile final : public File {
 public:
  // `in_memory`: the file system has no disk that a read could wait for.
  PosixFile(Descriptor file, std::string path, bool in_memory)
      : file_(std::move(file)), path_(std::move(path)), in_memory_(in_memory) {}

  base::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    std::size_t got = 0;
    while (got < into.size()) {
      const ssize_t read = ::pread(file_.number(), into.data() + got, into.size() - got,
                                   static_cast<off_t>(offset + got));
      if (read == 0) break;
      if (read > 0) {
        got += static_cast<std::size_t>(read);
      } else if (errno != EINTR) {
        return failed("read", path_, errno);
      }
    }
    return got;
  }

  ReadNow read_now(std::uint64_t offset, std::span<char> into, std::size_t& got) const override {
    const iovec part{.iov_base = into.data(), .iov_len = into.size()};
    for (;;) {
      const ssize_t read = ::preadv2(file_.number(), &part, 1, static_cast<off_t>(offset),
                                     in_memory_ ? 0 : RWF_NOWAIT);
      if (read >= 0) {
        got = static_cast<std::size_t>(read);
        return ReadNow::done;
      }
      // Where the file system cannot tell (overlayfs), any read might wait.
      if (errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS) return ReadNow::would_block;
      if (errno != EINTR) return ReadNow::failed;
    }
  }

  base::Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    std::array<iovec, parts_a_call> vector;
    while (!parts.empty()) {
      const std::size_t count = std::min(parts.size(), parts_a_call);
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < count; ++i) {
        vector[i] = {.iov_base = const_cast<char*>(parts[i].data()), .iov_len = parts[i].size()};
        bytes += parts[i].size();
      }
      base::Status written = write_all(offset, std::span(vector).first(count), bytes);
      if (!written) return written;
      offset += bytes;
      parts = parts.subspan(count);
    }
    return {};
  }

  void write_past_cache() override {
    direct_.emplace(open_path(path_, O_RDWR | O_DIRECT));
    direct_works_.store(direct_->is_open(), std::memory_order_relaxed);
  }

  // The system tells of bytes that it has given up once, to whoever syncs first. So one syncs at a
  // time, and after an error everyone hears it.
  base::Status sync() override {
    base::MutexLock lock(syncing_);
    if (!sync_failure_.empty()) return base::fail(sync_failure_);
    while (::fdatasync(file_.number()) != 0) {
      if (errno == EINTR) continue;
      auto failure = failed("sync", path_, errno);
      sync_failure_ = failure.value().text;
      return failure;
    }
    return {};
  }

  void will_read(std::uint64_t offset, std::uint64_t bytes) const override {
    // The system looks at every page of it: not if the first one is there.
    std::array<char, 1> byte;
    std::size_t got = 0;
    if (read_now(offset, byte, got) != ReadNow::would_block) return;
    // A hint: nothing is lost if it fails.
    static_cast<void>(::posix_fadvise(file_.number(), static_cast<off_t>(offset),
                                      static_cast<off_t>(bytes), POSIX_FADV_WILLNEED));
  }

  base::Status reserve(std::uint64_t bytes) override {
    for (;;) {
      if (bytes == 0 || ::fallocate(file_.number(), 0, 0, static_cast<off_t>(bytes)) == 0) {
        return {};
      }
      if (errno == EOPNOTSUPP || errno == ENOSYS) return reserve_by_zeros(bytes);
      if (errno != EINTR) return failed("reserve space for", path_, errno);
    }
  }

  base::Status truncate(std::uint64_t bytes) override {
    while (::ftruncate(file_.number(), static_cast<off_t>(bytes)) != 0) {
      if (errno != EINTR) return failed("truncate", path_, errno);
    }
    return {};
  }

  base::Result<std::uint64_t> size() const override {
    struct stat found {};
    if (::fstat(file_.number(), &found) != 0) return failed("look at", path_, errno);
    return static_cast<std::uint64_t>(found.st_size);
  }

  base::Result<std::uint64_t> data_end(std::uint64_t from) const override {
    const base::Result<std::uint64_t> all = size();
    auto end = static_cast<off_t>(from);
    for (int stretch = 0; all && from < *all && stretch < most_stretches; ++stretch) {
      const off_t data = ::lseek(file_.number(), end, SEEK_DATA);
      if (data < 0 && errno == ENXIO) return static_cast<std::uint64_t>(end);
      const off_t hole = data < 0 ? data : ::lseek(file_.number(), data, SEEK_HOLE);
      if (hole < 0) break;
      end = hole;
    }
    return all;
  }

 private:
  // Of data behind one another with nothing between: more are not looked at.
  static constexpr int most_stretches = 1000;

  // The vector is used up.
  base::Status write_all(std::uint64_t offset, std::span<iovec> vector, std::size_t bytes) {
    while (bytes > 0) {
      const bool direct =
          direct_works_.load(std::memory_order_relaxed) && are_pages(offset, vector);
      const ssize_t result = ::pwritev(direct ? direct_->number() : file_.number(), vector.data(),
                                       static_cast<int>(vector.size()), static_cast<off_t>(offset));
      if (result < 0 && errno == EINTR) continue;
      if (result < 0 && direct && (errno == EINVAL || errno == EOPNOTSUPP)) {
        direct_works_.store(false, std::memory_order_relaxed);
        continue;
      }
      // A file system that takes nothing and says nothing is full.
      if (result <= 0) return failed("write", path_, result == 0 ? ENOSPC : errno);
      auto written = static_cast<std::size_t>(result);
      offset += written;
      bytes -= written;
      while (!vector.empty() && written >= vector.front().iov_len) {
        written -= vector.front().iov_len;
        vector = vector.subspan(1);
      }
      if (written == 0) continue;
      vector.front().iov_base = static_cast<char*>(vector.front().iov_base) + written;
      vector.front().iov_len -= written;
    }
    return {};
  }

  base::Status reserve_by_zeros(std::uint64_t bytes) {
    static constexpr std::array<char, 64 * 1024> zeros{};
    base::Result<std::uint64_t> at = size();
    if (!at) return base::fail(at.error().text);
    while (*at < bytes) {
      const std::array part{
          std::string_view(zeros.data(), std::min<std::uint64_t>(zeros.size(), bytes - *at))};
      base::Status written = write_at(*at, part);
      if (!written) return written;
      *at += part.front().size();
    }
    return {};
  }

  const Descriptor file_;
  const std::string path_;
  const bool in_memory_;
  std::optional<Descriptor> direct_;  // past the cache; set before the file is used by others
  std::atomic<bool> direct_works_{false};
  base::Mutex syncing_;
  std::string sync_failure_ ABSL_GUARDED_BY(syncing_);
};

class PosixLock final : public FolderLock {
 public:
  explicit PosixLock(Descriptor file) : file_(std::move(file)) {}

 private:
  const Descriptor file_;  // closing it gives the lock up
};

// Of the process that has the lock, as it has written into it.
std::string holder_of(const Descriptor& lock) {
  std::array<char, 20> holder{};
  const ssize_t size = ::pread(lock.number(), holder.data(), holder.size(), 0);
  std::string_view pid(holder.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  pid = pid.substr(0, pid.find('\n'));
  return std::string(pid.empty() ? "?" : pid);
}

Keeping keeping_of(const struct statfs& system, const std::string& folder) {
  switch (static_cast<std::uint64_t>(system.f_type)) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
      return Keeping::memory;
    case OVERLAYFS_SUPER_MAGIC: {
      std::ifstream file("/proc/self/mountinfo");
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      return on_volatile_overlay(text, folder) ? Keeping::volatile_overlay : Keeping::disk;
    }
    default:
      return Keeping::disk;
  }
}

class PosixFiles final : public Files {
 public:
  // `access` is that of the files that are opened: O_RDWR or O_RDONLY.
  PosixFiles(std::string folder, Keeping keeping, int access)
      : folder_(std::move(folder)), keeping_(keeping), access_(access) {}

  base::Result<std::unique_ptr<File>> create(std::string_view path) override {
    return open_file("create", path, O_RDWR | O_CREAT | O_EXCL);
  }
  base::Result<std::unique_ptr<File>> open(std::string_view path) override {
    return open_file("open", path, access_);
  }

  base::Status make_folder(std::string_view path) override {
    const std::string full = full_path(path);
    if (::mkdir(full.c_str(), 0700) == 0) return {};
    const int error = errno;
    std::error_code ignored;
    if (error == EEXIST && std::filesystem::is_directory(full, ignored)) return {};
    return failed("make folder", full, error);
  }

  base::Status rename(std::string_view from, std::string_view to) override {
    const std::string source = full_path(from);
    if (::rename(source.c_str(), full_path(to).c_str()) == 0) return {};
    return failed("rename", source, errno);
  }

  base::Status remove(std::string_view path) override {
    const std::string full = full_path(path);
    if (::unlink(full.c_str()) == 0 || errno == ENOENT) return {};
    return failed("remove", full, errno);
  }

  base::Status remove_tree(std::string_view path) override {
    const std::string full = full_path(path);
    std::error_code error;
    std::filesystem::remove_all(full, error);
    if (error) return failed("remove", full, error.value());
    return {};
  }

  base::Status sync_folder(std::string_view path) override {
    const std::string full = full_path(path);
    const Descriptor folder = open_path(full, O_RDONLY | O_DIRECTORY);
    if (!folder.is_open()) return failed("open folder", full, errno);
    while (::fsync(folder.number()) != 0) {
      if (errno != EINTR) return failed("sync folder", full, errno);
    }
    return {};
  }

  base::Result<std::vector<std::string>> list(std::string_view path) const override {
    const std::string full = full_path(path);
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(full, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error && error.value() != ENOENT) return failed("list", full, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  base::Result<std::unique_ptr<FolderLock>> lock(std::string_view path) override {
    const std::string full = full_path(path);
    Descriptor file = open_path(full, O_RDWR | O_CREAT);
    if (!file.is_open()) return failed("open", full, errno);
    if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return failed("lock", full, errno);
      return base::fail(
          fmt::format("{} is in use by process {}: stop it, or give this server "
                      "another folder",
                      folder_, holder_of(file)));
    }
    // For the words above only: who holds it is what flock() says.
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(file.number(), 0) != 0 ||
        ::pwrite(file.number(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      return failed("write", full, errno);
    }
    return std::make_unique<PosixLock>(std::move(file));
  }

  base::Result<Space> space() const override {
    struct statvfs found {};
    if (::statvfs(folder_.c_str(), &found) != 0) return failed("look at", folder_, errno);
    return Space{.total_bytes = std::uint64_t{found.f_blocks} * found.f_frsize,
                 .free_bytes = std::uint64_t{found.f_bavail} * found.f_frsize};
  }

  base::Result<Keeping> keeping() const override { return keeping_; }

 private:
  std::string full_path(std::string_view path) const {
    return path.empty() ? folder_ : fmt::format("{}/{}", folder_, path);
  }
  base::Result<std::unique_ptr<File>> open_file(std::string_view what, std::string_view path,
                                                int flags) const {
    std::string full = full_path(path);
    Descriptor file = open_path(full, flags);
    if (!file.is_open()) return failed(what, full, errno);
    return std::make_unique<PosixFile>(std::move(file), std::move(full),
                                       keeping_ == Keeping::memory);
  }

  const std::string folder_;
  const Keeping keeping_;
  const int access_;
};

// Makes the folder and those above it that are missing.
base::Status make_with_parents(const std::filesystem::path& folder) {
  std::filesystem::path made;
  for (const std::filesystem::path& name : folder) {
    made /= name;
    if (::mkdir(made.c_str(), 0700) == 0) continue;
    const int error = errno;
    std::error_code ignored;
    if (!std::filesystem::is_directory(made, ignored)) {
      return failed("make folder", made.string(), error);
    }
  }
  return {};
}

base::Result<std::unique_ptr<Files>> open_folder(const std::string& folder, int access) {
  std::error_code error;
  const std::string full = std::filesystem::canonical(folder, error).string();
  if (error) return failed("open folder", folder, error.value());
  struct statfs system {};
  if (::statfs(full.c_str(), &system) != 0) return failed("look at", full, errno);
  return std::make_unique<PosixFiles>(full, keeping_of(system, full), access);
}

}  // namespace

base::Result<std::unique_ptr<Files>> open_files(const std::string& folder) {
  if (folder.empty()) return base::fail("the store's folder has no name");
  if (const base::Status made = make_with_parents(folder); !made) {
    return base::fail(made.error().text);
  }
  return open_folder(folder, O_RDWR);
}

base::Result<std::unique_ptr<Files>> open_files_to_read(const std::string& folder) {
  return open_folder(folder, O_RDONLY);
}

base::Result<std::optional<std::string>> find_holder(const std::string& folder) {
  const std::string path = folder + "/lock";
  const Descriptor file = open_path(path, O_RDONLY);
  if (!file.is_open() && errno == ENOENT) return std::nullopt;
  if (!file.is_open()) return failed("open", path, errno);
  if (::flock(file.number(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  if (errno != EWOULDBLOCK) return failed("look at the lock", path, errno);
  return holder_of(file);
}

}  // namespace spanwire::store
