// Files over the system's calls, in a folder of their own below the system's temporary one.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "store/files.h"
#include "store/page_bytes.h"

using namespace spanwire;

namespace {

class Folder {
 public:
  explicit Folder(std::string below = std::filesystem::temp_directory_path()) {
    path_ = below + "/spanwire-files-XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::unique_ptr<store::Files> open() const {
    auto files = store::open_files(path_);
    REQUIRE(files);
    return std::move(*files);
  }

 private:
  std::string path_;
};

std::string content(const store::File& file) {
  std::string bytes(*file.size() + 10, '?');
  const auto got = file.read_at(0, bytes);
  REQUIRE(got);
  bytes.resize(*got);
  return bytes;
}

}  // namespace

TEST_CASE("files: the folder is made with its parents, for this user alone") {
  const Folder folder;
  const std::string path = folder.path() + "/a/b/";
  REQUIRE(store::open_files(path));
  REQUIRE(store::open_files(path));
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  REQUIRE(folder.open()->create("file"));
  REQUIRE(::stat((folder.path() + "/file").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("files: a folder that cannot be made is an error with its name") {
  const Folder folder;
  REQUIRE(folder.open()->create("file"));
  const auto refused = store::open_files(folder.path() + "/file/below");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == "make folder " + folder.path() + "/file: File exists");
  CHECK_FALSE(store::open_files(""));
}

TEST_CASE("files: parts are written behind one another, however many") {
  const Folder folder;
  const auto files = folder.open();
  const auto file = files->create("a");
  REQUIRE(file);
  std::vector<std::string> texts;
  std::string wanted(3, '\0');
  for (int i = 0; i < 700; ++i) {
    texts.push_back(i % 7 == 0 ? std::string() : fmt::format("<{}>", i));
    wanted += texts.back();
  }
  const std::vector<std::string_view> parts(texts.begin(), texts.end());
  REQUIRE((*file)->write_at(3, parts));
  REQUIRE((*file)->sync());
  CHECK(content(**file) == wanted);
  REQUIRE((*file)->write_at(0, {}));
  REQUIRE((*file)->write_at(0, std::array{std::string_view("abc")}));
  CHECK(content(*std::move(*files->open("a"))).substr(0, 6) == "abc<1>");
}

TEST_CASE("files: what goes past the cache is read as it was written, whole pages or not") {
  // The second keeps files in memory, and may know no other way.
  for (const char* below : {"/tmp", "/dev/shm"}) {
    if (!std::filesystem::is_directory(below)) continue;
    CAPTURE(below);
    const Folder folder(below);
    const auto files = folder.open();
    const auto file = files->create("file");
    REQUIRE(file);
    (*file)->write_past_cache();
    constexpr std::size_t page = store::direct_page_bytes;
    store::PageBytes pages;
    pages.append(std::string(3 * page, 'a'));
    const std::string_view text = pages.text();
    REQUIRE((*file)->write_at(0, std::array{text}));
    CHECK(content(**file) == text);
    // Aligned neither in the file nor in memory nor in size, each by itself.
    REQUIRE((*file)->write_at(3 * page + 1, std::array{text.substr(0, page)}));
    REQUIRE((*file)->write_at(page, std::array{std::string_view("b")}));
    store::PageBytes other;
    other.append(std::string(2 * page, 'c'));
    REQUIRE((*file)->write_at(2 * page, std::array{other.text().substr(1, page)}));
    REQUIRE((*file)->sync());
    std::string expected(text);
    expected += '\0';
    expected += text.substr(0, page);
    expected[page] = 'b';
    expected.replace(2 * page, page, std::string(page, 'c'));
    CHECK(content(**file) == expected);
    // Over what stands in the cache.
    REQUIRE((*file)->write_at(0, std::array{other.text()}));
    expected.replace(0, 2 * page, std::string(2 * page, 'c'));
    CHECK(content(**file) == expected);
  }
}

TEST_CASE("files: a read ends with the file") {
  const Folder folder;
  const auto file = folder.open()->create("a");
  REQUIRE((*file)->write_at(0, std::array{std::string_view("12345678")}));
  std::array<char, 6> bytes{};
  CHECK(*(*file)->read_at(0, bytes) == 6);
  CHECK(*(*file)->read_at(4, bytes) == 4);
  CHECK(std::string_view(bytes.data(), 4) == "5678");
  CHECK(*(*file)->read_at(8, bytes) == 0);
  CHECK(*(*file)->read_at(1'000, bytes) == 0);
}

TEST_CASE("files: what was just written is read from memory, where the file system can tell") {
  for (const std::string below : {"/tmp", "/dev/shm"}) {
    if (!std::filesystem::is_directory(below)) continue;
    CAPTURE(below);
    const Folder folder(below);
    const auto files = folder.open();
    const auto file = files->create("a");
    REQUIRE((*file)->write_at(0, std::array{std::string_view("12345678")}));
    std::array<char, 6> bytes{};
    std::size_t got = 0;
    const store::ReadNow read = (*file)->read_now(4, bytes, got);
    CHECK(read != store::ReadNow::failed);
    if (*files->keeping() == store::Keeping::memory) CHECK(read == store::ReadNow::done);
    if (read == store::ReadNow::done) CHECK(std::string_view(bytes.data(), got) == "5678");
  }
}

TEST_CASE("files: the end of what was written is found before what is only reserved") {
  const Folder folder;
  const auto files = folder.open();
  auto file = files->create("a");
  REQUIRE(file);
  CHECK((*file)->data_end(0).value() == 0);
  REQUIRE((*file)->reserve(8U << 20));
  const std::string words(10'000, 'x');
  const std::array<std::string_view, 1> parts = {words};
  REQUIRE((*file)->write_at(100'000, parts));
  // Or all of it, where the file system does not tell.
  const std::uint64_t end = (*file)->data_end(0).value();
  CHECK(end >= 110'000);
  CHECK(end <= 8U << 20);
  CHECK((*file)->data_end(1U << 20).value() >= 1U << 20);
  CHECK((*file)->data_end(9U << 20).value() == 8U << 20);
}

TEST_CASE("files: reserved space reads as zeros, and neither cuts nor changes what is there") {
  const Folder folder;
  const auto file = folder.open()->create("a");
  REQUIRE((*file)->write_at(0, std::array{std::string_view("12345")}));
  REQUIRE((*file)->reserve(8));
  CHECK(content(**file) == std::string("12345\0\0\0", 8));
  REQUIRE((*file)->reserve(4));
  REQUIRE((*file)->reserve(0));
  CHECK(*(*file)->size() == 8);
  REQUIRE((*file)->truncate(2));
  CHECK(content(**file) == "12");
}

TEST_CASE("files: a file is made once, opened if it is there, and gone when it was removed") {
  const Folder folder;
  const auto files = folder.open();
  const auto missing = files->open("a");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text == fmt::format("open {}/a: No such file or directory", folder.path()));
  REQUIRE(files->create("a"));
  CHECK_FALSE(files->create("a"));
  REQUIRE(files->rename("a", "b"));
  CHECK_FALSE(files->rename("a", "b"));
  CHECK(*files->list("") == std::vector<std::string>{"b"});
  REQUIRE(files->remove("b"));
  REQUIRE(files->remove("b"));
  CHECK(files->list("")->empty());
}

TEST_CASE("files: folders are made, listed in order, synced and removed with all in them") {
  const Folder folder;
  const auto files = folder.open();
  REQUIRE(files->make_folder("x"));
  REQUIRE(files->make_folder("x"));
  REQUIRE(files->make_folder("x/2"));
  REQUIRE(files->create("x/10"));
  REQUIRE(files->create("x/2/a"));
  CHECK_FALSE(files->make_folder("x/10"));
  CHECK_FALSE(files->make_folder("y/z"));
  CHECK(*files->list("x") == std::vector<std::string>{"10", "2"});
  CHECK(files->list("y")->empty());
  CHECK(files->sync_folder("x"));
  CHECK(files->sync_folder(""));
  CHECK_FALSE(files->sync_folder("y"));
  CHECK_FALSE(files->remove("x"));
  REQUIRE(files->remove_tree("x"));
  REQUIRE(files->remove_tree("x"));
  CHECK(files->list("")->empty());
}

TEST_CASE("files: a lock has one holder, who is named, and ends with it") {
  const Folder folder;
  const auto files = folder.open();
  auto held = files->lock("lock");
  REQUIRE(held);
  const auto refused = folder.open()->lock("lock");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text ==
        fmt::format("{} is in use by process {}: stop it, or give this server another folder",
                    folder.path(), ::getpid()));
  held->reset();
  CHECK(files->lock("lock"));
}

TEST_CASE("files: too many open files is an error that says what to do") {
  const Folder folder;
  const auto files = folder.open();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto refused = files->create("a");
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("/a: too many open files: raise the limit") != std::string::npos);
}

TEST_CASE("files: a file that may not grow is an error, and keeps what it had") {
  const Folder folder;
  const auto file = folder.open()->create("a");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{.rlim_cur = 4'096, .rlim_max = before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const base::Status written = (*file)->write_at(0, std::array{std::string_view("kept")});
  // Cut in the middle: a short write first, then the error.
  const std::string large(8'192, 'x');
  const base::Status refused = (*file)->write_at(4, std::array{std::string_view(large)});
  const base::Status reserved = (*file)->reserve(8'192);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);
  CHECK(written);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == fmt::format("write {}/a: File too large", folder.path()));
  CHECK_FALSE(reserved);
  CHECK(content(**file) == "kept" + std::string(4'092, 'x'));
}

TEST_CASE("files: space and what the file system keeps are known") {
  const Folder folder;
  const auto space = folder.open()->space();
  REQUIRE(space);
  CHECK(space->total_bytes > 0);
  CHECK(space->free_bytes <= space->total_bytes);
  CHECK(folder.open()->keeping());
  struct stat found {};
  if (::stat("/dev/shm", &found) == 0) {
    CHECK(*Folder("/dev/shm").open()->keeping() == store::Keeping::memory);
  }
}
