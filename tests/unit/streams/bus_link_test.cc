#include "streams/bus_link.h"

#include <doctest/doctest.h>

#include "tests/support/world.h"

using namespace spanwire;
using namespace spanwire::test;
using namespace spanwire::streams;

namespace {

base::Ref<const account::Principal> principal() {
  auto out = base::make_ref<account::Principal>();
  out->account =
      base::make_ref<account::Account>(account::global_account, account::global_account_name);
  return out;
}

struct Heard final : Link::Listener {
  void on_inbox(std::string_view token, const bus::MessageView& message) override {
    text += std::string(token) + '=' + std::string(message.payload);
    if (message.payload.empty()) text += message.headers.substr(9, 3);
    text += ' ';
    if (on_each) on_each();
  }
  std::string text;
  std::function<void()> on_each;
};

// Publishes through the link inside on_message, as a bridge may.
struct Echo final : bus::Receiver {
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
    for (int i = 0; i < count; ++i) link->publish(message.reply, {}, {}, message.payload);
    return bus::Taken::all;
  }
  void on_relief() override {}
  Link* link = nullptr;
  int count = 1;
};

struct Scene {
  World world;
  bus::OwnedPort port;
  Echo echo;
  Heard heard;
  std::unique_ptr<BusLink> link;

  Scene() {
    const auto who = principal();
    link = std::make_unique<BusLink>(world.loop(0), [this, who](bus::Receiver& receiver) {
      return world.router(0).open(who, receiver, nullptr);
    });
    port = world.router(0).open(who, echo, nullptr);
    CHECK(port->subscribe(*subject::parse_nats_filter("echo"), {}));
    echo.link = link.get();
    link->open(heard);
  }
  std::string inbox(std::string_view token) {
    return std::string(link->inbox()).append(1, '.').append(token);
  }
};

}  // namespace

TEST_CASE("link: an answer comes to its inbox, not inside the call") {
  Scene scene;
  CHECK(scene.link->publish("echo", scene.inbox("7"), {}, "x"));
  CHECK(scene.heard.text.empty());
  scene.world.settle();
  CHECK(scene.heard.text == "7=x ");
}

TEST_CASE("link: where nobody is, a 503 comes to the reply") {
  Scene scene;
  scene.link->publish("nobody", scene.inbox("7"), {}, "x");
  scene.link->publish("nobody", {}, {}, "x");
  scene.link->publish("bad subject", scene.inbox("8"), {}, "x");
  scene.world.settle();
  CHECK(scene.heard.text == "7=503 8=503 ");
}

TEST_CASE("link: deeper inboxes only while they are listened to") {
  Scene scene;
  scene.link->publish("echo", scene.inbox("f.1"), {}, "a");
  scene.world.settle();
  scene.link->listen("f");
  scene.link->publish("echo", scene.inbox("f.2"), {}, "b");
  scene.world.settle();
  scene.link->unlisten("f");
  scene.link->publish("echo", scene.inbox("f.3"), {}, "c");
  scene.world.settle();
  CHECK(scene.heard.text == "f.2=b ");
}

TEST_CASE("link: inside on_message as much is published as anywhere else") {
  Scene scene;
  scene.echo.count = 5000;  // more than a port may publish there
  int heard = 0;
  scene.heard.on_each = [&] { ++heard; };
  scene.link->publish("echo", scene.inbox("7"), {}, "x");
  scene.world.settle();
  CHECK(heard == 5000);
}

TEST_CASE("link: the listener may destroy it") {
  Scene scene;
  scene.heard.on_each = [&] { scene.link.reset(); };
  scene.link->publish("echo", scene.inbox("1"), {}, "x");
  scene.link->publish("nobody", scene.inbox("2"), {}, "x");
  scene.world.settle();
  CHECK(scene.link == nullptr);
}

TEST_CASE("link: beyond its limits nothing is published, until something has gone out") {
  Scene scene;
  const std::string large(max_link_bytes / 4, 'x');
  for (int i = 0; i < 4; ++i) CHECK(scene.link->publish("nobody", {}, {}, large));
  CHECK(!scene.link->publish("nobody", {}, {}, "x"));
  scene.world.settle();
  CHECK(scene.link->publish("nobody", {}, {}, "x"));
}

TEST_CASE("link: what was published goes out when it is destroyed") {
  Scene scene;
  scene.world.settle();
  Heard other;
  BusLink second(scene.world.loop(0), [&](bus::Receiver& receiver) {
    return scene.world.router(0).open(principal(), receiver, nullptr);
  });
  second.open(other);
  scene.world.settle();
  scene.link->publish(std::string(second.inbox()) + ".1", {}, {}, "bye");
  scene.link.reset();
  scene.world.settle();
  CHECK(other.text == "1=bye ");
}
