#include "bridges/mqtt/client_ids.h"

#include <doctest/doctest.h>

using namespace spanwire;
using mqtt::ClientHolder;
using mqtt::ClientIds;
using mqtt::ClientKey;

namespace {

const ClientKey key{0, "device"};
constexpr ClientHolder first{0, 1}, second{1, 2}, third{2, 3};

}  // namespace

TEST_CASE("client ids: a free id is the claimant's at once") {
  ClientIds ids;
  CHECK_FALSE(ids.claim(key, first));
  CHECK_FALSE(ids.release(key, first));
  CHECK(ids.size() == 0);
  CHECK_FALSE(ids.claim(key, second));
}

TEST_CASE("client ids: a claimant gets the id when its holder has released it [MQTT-3.1.4-2]") {
  ClientIds ids;
  ids.claim(key, first);
  CHECK(ids.claim(key, second) == first);
  CHECK(ids.release(key, first) == second);
  CHECK(ids.claim(key, third) == second);
  CHECK(ids.release(key, second) == third);
  CHECK_FALSE(ids.release(key, third));
  CHECK(ids.size() == 0);
}

TEST_CASE("client ids: who waits is displaced by the next claimant") {
  ClientIds ids;
  ids.claim(key, first);
  CHECK(ids.claim(key, second) == first);
  CHECK(ids.claim(key, third) == second);
  CHECK_FALSE(ids.release(key, second));  // has lost its place already
  CHECK(ids.release(key, first) == third);
}

TEST_CASE("client ids: a claimant that goes away leaves the id free") {
  ClientIds ids;
  ids.claim(key, first);
  ids.claim(key, second);
  CHECK_FALSE(ids.release(key, second));
  CHECK_FALSE(ids.release(key, first));
  CHECK(ids.size() == 0);
}

TEST_CASE("client ids: releasing what one does not hold has no effect") {
  ClientIds ids;
  CHECK_FALSE(ids.release(key, first));
  ids.claim(key, first);
  CHECK_FALSE(ids.release(key, second));
  CHECK(ids.claim(key, third) == first);
}

TEST_CASE("client ids: accounts have client ids of their own") {
  ClientIds ids;
  CHECK_FALSE(ids.claim({1, "device"}, first));
  CHECK_FALSE(ids.claim({2, "device"}, second));
  CHECK(ids.size() == 2);
}
