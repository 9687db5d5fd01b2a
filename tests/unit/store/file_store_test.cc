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

TEST_CASE("store: a stream is made with three syncs, and the fourth is not waited for") {
  test::StoreWorld world;
  RememberingOwner owner;
  REQUIRE(world.open());
  std::string syncs;
  world.disk.decide([&syncs](test::Call call, std::string_view path) {
    const bool is_sync = call == test::Call::sync || call == test::Call::sync_folder;
    if (is_sync) syncs += std::string(path) + ' ';
    return test::Outcome::fine;
  });
  std::string told;
  std::unique_ptr<Log> log;
  world.store().create("words", owner, world.loop, [&](auto made) {
    REQUIRE(made);
    told = syncs;
    log = *std::move(made);
    owner.log = log.get();
    log->append({.subject = "a"});
    log->commit();
  });
  world.loop.run_posted();
  world.workers.step();
  world.loop.run_posted();
  CHECK(told == "streams/1/settings.new streams/1 streams ");
  while (world.loop.run_posted() || world.committer().step()) {
  }
  CHECK(owner.committed == 0);
  world.settle();
  CHECK(owner.committed == 1);
  CHECK(syncs == told + "streams/1/1.seg streams/1/1.seg ");
}

TEST_CASE("store: a stream whose first segment cannot be synced refuses what was said to it") {
  test::StoreWorld world;
  RememberingOwner owner;
  REQUIRE(world.open());
  auto log = world.create(owner, "words");
  log.reset();
  world.disk.decide([](test::Call call, std::string_view path) {
    const bool refused = call == test::Call::sync && path.ends_with(".seg");
    return refused ? test::Outcome::fails : test::Outcome::fine;
  });
  log = world.create(owner, "others");
  CHECK(log->failed() != nullptr);
  owner.log = log.get();
  log->append({.subject = "a"});
  log->commit();
  world.settle();
  CHECK_FALSE(owner.failure.empty());
}

TEST_CASE("store: a stream without settings is gone with the process, one that got some is not") {
  test::StoreWorld world;
  RememberingOwner one;
  RememberingOwner two;
  REQUIRE(world.open());
  std::unique_ptr<Log> first;
  std::unique_ptr<Log> second;
  world.store().create(std::nullopt, one, world.loop, [&](auto made) { first = *std::move(made); });
  world.store().create(std::nullopt, two, world.loop,
                       [&](auto made) { second = *std::move(made); });
  world.settle();
  two.log = second.get();
  second->append({.subject = "a", .payload = "x"});
  second->commit();
  world.settle();
  bool set = false;
  world.store().set(*second, "words", world.loop,
                    [&set](const base::Status& status) { set = status.has_value(); });
  world.settle();
  CHECK(set);
  first.reset();
  second.reset();
  base::Random random(1);
  world.close();
  world.disk.cut_power(random);
  REQUIRE(world.open());
  REQUIRE(world.store().found().size() == 1);
  CHECK(world.store().found()[0].path == "streams/2");
  CHECK_FALSE(world.disk.has("streams/1/1.seg"));
  CHECK(world.recover(two, "streams/2"));
  CHECK(two.messages.size() == 1);
}
