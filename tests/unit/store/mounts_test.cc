#include "store/mounts.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;

namespace {

const std::string mounts =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 0:30 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/a,upperdir=/b,volatile\n"
    "30 27 8:1 / /var/lib/data rw master:7 propagate_from:2 - ext4 /dev/sda1 rw\n"
    "31 27 0:31 / /quiet rw - overlay overlay rw,upperdir=/volatile,workdir=/w\n"
    "32 27 0:32 / /with\\040blank rw - overlay none rw,fsync=volatile,xino=off\n"
    "33 27 0:33 / /twice rw - overlay overlay rw,volatile\n"
    "34 33 8:2 / /twice rw - ext4 /dev/sdb rw\n";

bool on_volatile(std::string_view path) {
  return store::on_volatile_overlay(mounts, path);
}

}  // namespace

TEST_CASE("mounts: a folder lies in the mount with the longest name above it") {
  CHECK(on_volatile("/"));
  CHECK(on_volatile("/var/lib"));
  CHECK(on_volatile("/var/lib/database"));
  CHECK_FALSE(on_volatile("/var/lib/data"));
  CHECK_FALSE(on_volatile("/var/lib/data/store"));
}

TEST_CASE("mounts: only the option counts, not a path that has its name") {
  CHECK_FALSE(on_volatile("/quiet/store"));
  CHECK(on_volatile("/with blank/store"));
}

TEST_CASE("mounts: a later mount on the same folder hides the earlier one") {
  CHECK_FALSE(on_volatile("/twice/store"));
}

TEST_CASE("mounts: a text cut anywhere is read without harm") {
  for (std::size_t size = 0; size < mounts.size(); ++size) {
    store::on_volatile_overlay(std::string_view(mounts).substr(0, size), "/var/lib/data/x");
  }
  CHECK_FALSE(store::on_volatile_overlay("", "/"));
  CHECK_FALSE(store::on_volatile_overlay("1 2 3\n - - -\n", "/"));
}
