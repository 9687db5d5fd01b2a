#include "tests/unit/store/file_log_stage.h"

using namespace spanwire;
using namespace spanwire::store;
using test::RememberingOwner;

TEST_CASE("store: a second process is refused, and a newer version") {
  test::StoreWorld world;
  world.disk.open();
  REQUIRE(world.open());
  world.close();
  CHECK(world.disk.content("version") == "spanwire store 1\n");
  world.disk.change("version", "spanwire store 2\n");
  const base::Status newer = world.open();
  REQUIRE_FALSE(newer);
  CHECK(newer.error().text.find("newer server") != std::string::npos);
  for (const char* other : {"", "spanwire store \n", "x", "spanwire store 0\n"}) {
    world.disk.change("version", other);
    CHECK_FALSE(world.open());
  }
  world.disk.change("version", "spanwire store 1\n");
  CHECK(world.open());
  world.close();
  world.disk.lock_elsewhere("lock");
  CHECK_FALSE(world.open());
}

TEST_CASE("store: streams are found with the settings that they were given last") {
  test::StoreWorld world;
  RememberingOwner one;
  RememberingOwner two;
  REQUIRE(world.open());
  auto first = world.create(one, "first");
  auto second = world.create(two, "second");
  bool set = false;
  world.store().set(*first, "changed", world.loop,
                    [&set](const base::Status& status) { set = status.has_value(); });
  world.settle();
  CHECK(set);
  first.reset();
  second.reset();
  world.close();
  REQUIRE(world.open());
  REQUIRE(world.store().found().size() == 2);
  CHECK(world.store().found()[0].path == "streams/1");
  CHECK(world.store().found()[0].settings == "changed");
  CHECK(world.store().found()[1].settings == "second");
}

TEST_CASE("store: a stream that was removed is gone, and its number is not used again") {
  test::StoreWorld world;
  RememberingOwner owner;
  REQUIRE(world.open());
  auto log = world.create(owner);
  world.create(owner);
  bool removed = false;
  world.store().remove(std::move(log), world.loop,
                       [&removed](const base::Status& status) { removed = status.has_value(); });
  world.settle();
  CHECK(removed);
  CHECK_FALSE(world.disk.has("streams/1"));
  world.close();
  REQUIRE(world.open());
  REQUIRE(world.store().found().size() == 1);
  CHECK(world.store().found()[0].path == "streams/2");
  world.create(owner);
  CHECK(world.disk.has("streams/3/settings"));
}

TEST_CASE("store: what an interrupted creation or removal has left is cleared away") {
  test::StoreWorld world;
  RememberingOwner owner;
  REQUIRE(world.open());
  world.create(owner);
  world.create(owner);
  world.create(owner);
  world.close();
  world.disk.remove("streams/1/settings");
  REQUIRE(world.disk.open()->rename("streams/2", "streams/2.removed"));
  REQUIRE(world.open());
  CHECK(world.store().found().size() == 1);
  CHECK_FALSE(world.disk.has("streams/1"));
  CHECK_FALSE(world.disk.has("streams/2.removed"));
}

TEST_CASE("store: damaged settings leave that stream aside, and its files alone") {
  test::StoreWorld world;
  RememberingOwner owner;
  REQUIRE(world.open());
  world.create(owner, "words");
  world.close();
  std::string settings = world.disk.content("streams/1/settings");
  settings.back() = 'x';
  world.disk.change("streams/1/settings", settings);
  test::CapturedLog captured;
  REQUIRE(world.open());
  CHECK(world.store().found().empty());
  CHECK(captured.lines().size() == 1);
  CHECK(world.disk.has("streams/1/1.seg"));
}
