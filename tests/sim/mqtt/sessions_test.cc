// Clients of a few client ids over three loops: they connect, take over, die with and without
// DISCONNECT, leave wills, and hear publishers, in every interleaving that seeded walks find.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/mqtt_world.h"
#include "tests/support/seeds.h"

using namespace spanwire;
using test::MqttWorld;
using test::TestPeer;

namespace {

constexpr std::size_t loops = 3;
constexpr std::array<std::string_view, 3> client_ids = {"a", "b", "c"};

// A connection of a client: it greets `hello/<id>` and leaves a will at `will/<id>`, both with its
// number, and subscribes to what is published.
struct Client {
  std::string id;
  std::string number;
  bool retains_will = false;
  TestPeer* peer = nullptr;

  bool let_in() const { return peer->received().starts_with(std::string_view("\x20\x02\0\0", 4)); }
  bool open() const { return !peer->closed(); }
  bool said_goodbye() const { return peer->close_reason() == "Client Disconnected"; }
};

// What came as PUBLISH packets.
struct Got {
  std::string topic;
  std::string payload;
  bool retained = false;
};

std::vector<Got> messages_of(const TestPeer& peer) {
  std::vector<Got> got;
  std::string_view rest = peer.received();
  while (!rest.empty()) {
    support::ServerPacket packet;
    std::size_t size = 0;
    REQUIRE(support::decode_server_packet(rest, packet, size) == mqtt::Decode::ok);
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      got.push_back({std::string(publish->topic), std::string(publish->payload), publish->retain});
    }
    rest.remove_prefix(size);
  }
  return got;
}

// One that stays to the end.
struct Resident {
  TestPeer* peer = nullptr;
  int published = 0;
};

struct Walk {
  explicit Walk(std::uint64_t seed)
      : rng(static_cast<unsigned>(seed)), world({.loops = loops, .seed = seed}) {
    watcher = enter("watcher", random(loops));
    std::string bytes;
    support::append_subscribe(bytes, 1, {{"will/#"}, {"hello/#"}});
    watcher->write(bytes);
    for (std::size_t i = 0; i < loops; ++i) {
      publishers.push_back({enter("publisher" + std::to_string(i), i)});
    }
    world.settle();
  }

  std::size_t random(std::size_t below) { return rng() % below; }

  TestPeer* enter(const std::string& id, std::size_t loop) {
    TestPeer& peer = world.open(loop);
    peer.write(support::packet_bytes(mqtt::Connect{.client_id = id}));
    return &peer;
  }

  Client& connect(std::string_view id) {
    Client client = {.id = std::string(id),
                     .number = std::to_string(clients.size()),
                     .retains_will = random(2) == 0,
                     .peer = &world.open(random(loops))};
    const std::string will = "will/" + client.id;
    const std::string hello = "hello/" + client.id;
    std::string bytes = support::packet_bytes(mqtt::Connect{
        .client_id = client.id,
        .will =
            mqtt::Will{.topic = will, .payload = client.number, .retain = client.retains_will}});
    support::append_subscribe(bytes, 1, {{"news/#"}});
    support::append_packet(bytes, mqtt::Publish{.topic = hello, .payload = client.number});
    if (random(2) == 0) client.peer->set_read_limit(1 + random(20));
    client.peer->write(bytes);
    clients.push_back(client);
    return clients.back();
  }

  void publish() {
    const std::size_t which = random(loops);
    Resident& from = publishers[which];
    const std::string topic = "news/" + std::to_string(which);
    const std::string payload = std::to_string(++from.published);
    from.peer->write(
        support::packet_bytes(mqtt::Publish{.topic = topic, .payload = payload, .retain = true}));
  }

  // Some client that is still there comes to its end, or is on its way to it.
  void end_one() {
    if (clients.empty()) return;
    const Client& client = clients[random(clients.size())];
    if (!client.open()) return;
    switch (random(4)) {
      case 0:
        return client.peer->write(support::packet_bytes(mqtt::Disconnect{}));
      case 1:
        return client.peer->write("\xf0");  // malformed
      case 2:
        client.peer->session()->on_shutdown();  // the server stops: wills, then all are closed
        return client.peer->hang_up();
      default:
        return client.peer->hang_up();
    }
  }

  void stir() {
    const std::size_t what = random(16);
    if (what == 0) {
      connect(client_ids[random(client_ids.size())]);
    } else if (what == 1) {
      end_one();
    } else if (what < 5) {
      publish();
    } else {
      world.world().step(random(loops));
    }
  }

  std::mt19937 rng;
  MqttWorld world;
  TestPeer* watcher = nullptr;
  std::vector<Resident> publishers;
  std::vector<Client> clients;
};

void check_client_ids(Walk& walk) {
  std::uint64_t sessions = 0;
  for (std::size_t i = 0; i < loops; ++i) sessions += walk.world.stats(i).sessions.get();
  std::map<std::string, int> open;
  for (const Client& client : walk.clients) {
    if (!client.open()) continue;
    ++open[client.id];
    CHECK(client.let_in());  // nobody waits for an id any more
  }
  std::size_t total = 1 + loops;  // the watcher and the publishers
  for (const auto& [name, count] : open) {
    const std::string& id = name;  // clang 14 captures no structured binding
    CAPTURE(id);
    CHECK(count == 1);
    total += static_cast<std::size_t>(count);
  }
  CHECK(sessions == total);
}

// Each will that is due once, no other; and a client's will before the next one of its id begins.
void check_wills(const Walk& walk) {
  std::map<std::string, int> wills;                       // by the client's number
  std::map<std::string, std::string> present;             // by client id: who was heard last
  std::map<std::string, std::vector<std::string>> heard;  // by client id: each once
  for (const Got& got : messages_of(*walk.watcher)) {
    const std::string id = got.topic.substr(got.topic.find('/') + 1);
    if (got.topic.starts_with("will/")) ++wills[got.payload];
    if (present[id] == got.payload) continue;
    present[id] = got.payload;
    heard[id].push_back(got.payload);
  }
  for (const Client& client : walk.clients) {
    CAPTURE(client.number);
    CAPTURE(client.peer->close_reason());
    const bool due = client.let_in() && !client.open() && !client.said_goodbye();
    CHECK(wills[client.number] == (due ? 1 : 0));
  }
  for (auto& [name, numbers] : heard) {
    const std::string& id = name;
    CAPTURE(id);
    std::sort(numbers.begin(), numbers.end());
    CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
  }
}

// The last will of each id that was to be retained is.
void check_retained_wills(Walk& walk) {
  std::map<std::string, std::string> expected;
  for (const Got& got : messages_of(*walk.watcher)) {
    if (!got.topic.starts_with("will/")) continue;
    const Client& client = walk.clients[std::stoul(got.payload)];
    if (client.retains_will) expected[got.topic] = got.payload;
  }
  TestPeer* late = walk.enter("late", walk.random(loops));
  std::string bytes;
  support::append_subscribe(bytes, 1, {{"will/#"}});
  late->write(bytes);
  walk.world.settle();
  std::map<std::string, std::string> kept;
  for (const Got& got : messages_of(*late)) {
    CHECK(got.retained);
    CHECK(kept.emplace(got.topic, got.payload).second);
  }
  CHECK(kept == expected);
}

// What was retained, then every number that follows; to the end, if the client is still there.
void check_news(const Walk& walk) {
  for (const Client& client : walk.clients) {
    CAPTURE(client.number);
    std::map<std::string, int> last;
    for (const Got& got : messages_of(*client.peer)) {
      CAPTURE(got.topic);
      const int number = std::stoi(got.payload);
      const auto known = last.find(got.topic);
      if (got.retained) {
        CHECK(known == last.end());
      } else {
        CHECK(number == (known == last.end() ? 1 : known->second + 1));
      }
      last[got.topic] = number;
    }
    if (!client.open()) continue;
    for (std::size_t i = 0; i < loops; ++i) {
      CHECK(last["news/" + std::to_string(i)] == walk.publishers[i].published);
    }
  }
}

}  // namespace

TEST_CASE("mqtt: one connection a client id, each will once, retained then live") {
  std::uint64_t taken_over = 0;
  std::size_t disconnected = 0;
  for (std::uint64_t seed = 1; seed <= test::seeds(1000); ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int i = 0; i < 250; ++i) walk.stir();
    walk.world.settle();
    check_client_ids(walk);
    check_wills(walk);
    check_retained_wills(walk);
    check_news(walk);
    for (std::size_t i = 0; i < loops; ++i) taken_over += walk.world.stats(i).taken_over.get();
    for (const Client& client : walk.clients) disconnected += client.said_goodbye() ? 1 : 0;
    // And every id can be had again.
    for (const std::string_view id : client_ids) {
      const Client& next = walk.connect(id);
      walk.world.settle();
      CHECK(next.let_in());
      CHECK(next.open());
    }
  }
  CHECK(taken_over > 1000);
  CHECK(disconnected > 500);
}
