// A scenario of the Paho C++ client against a running server: paho_cpp HOST PORT SCENARIO.
#include <mqtt/async_client.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace {

constexpr auto patience = std::chrono::seconds(10);

// The program ends at the first thing that is not as it should be.
[[noreturn]] void fail(const std::string& what) {
  std::cout << what << std::endl;
  std::_Exit(1);
}

template <class Value>
void expect(const Value& got, const Value& expected, const std::string& what) {
  if (got == expected) return;
  std::cout << what << ": expected '" << expected << "', got '" << got << "'" << std::endl;
  std::_Exit(1);
}

struct Received {
  std::string topic;
  std::string payload;
  bool retained = false;
};

// A connected client that keeps what it receives, in order.
class Client {
 public:
  explicit Client(const std::string& uri, const std::string& id = {},
                  const mqtt::message_ptr& will = {}, bool reconnects = false)
      : client_(uri, id) {
    client_.start_consuming();
    auto options = mqtt::connect_options_builder().clean_session(true).finalize();
    if (will) options.set_will_message(will);
    if (reconnects) {
      options.set_automatic_reconnect(std::chrono::seconds(1), std::chrono::seconds(2));
    }
    finish(client_.connect(options), "connect");
  }

  mqtt::async_client& api() { return client_; }

  void subscribe(const std::string& filter, int qos = 0) {
    finish(client_.subscribe(filter, qos), "subscribe");
  }
  // Returns when the message is written, or acknowledged if its QoS says so.
  void publish(const std::string& topic, const std::string& payload, int qos = 1,
               bool retained = false) {
    finish(client_.publish(topic, payload.data(), payload.size(), qos, retained), "publish");
  }

  Received next() {
    mqtt::const_message_ptr message;
    if (!client_.try_consume_message_for(&message, patience)) fail("no message came");
    if (!message) fail("the connection was lost while a message was waited for");
    return {message->get_topic(), message->to_string(), message->is_retained()};
  }
  static void finish(const mqtt::token_ptr& token, const std::string& what) {
    if (!token->wait_for(patience)) fail(what + ": not done in time");
    expect(token->get_return_code(), 0, what);
  }

 private:
  mqtt::async_client client_;
};

void pubsub(const std::string& uri) {
  Client publisher(uri);
  Client exact(uri);
  Client wild(uri);
  exact.subscribe("a/b/c");
  wild.subscribe("a/+/c");
  wild.subscribe("d/#");
  for (const std::string topic : {"a/b/c", "a/x/c", "a/b/x", "d", "d/e/f"}) {
    publisher.publish(topic, "to " + topic);
  }
  expect<std::string>(exact.next().payload, "to a/b/c", "payload");
  for (const std::string topic : {"a/b/c", "a/x/c", "d", "d/e/f"}) {
    const Received got = wild.next();
    expect(got.topic, topic, "topic");
    expect(got.payload, "to " + topic, "payload");
  }
}

void payloads(const std::string& uri) {
  Client client(uri);
  client.subscribe("payload");
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  std::string large;
  for (int i = 0; i < 4000; ++i) large += every;
  for (const std::string& payload : {std::string(), every, large}) {
    client.publish("payload", payload);
    if (client.next().payload != payload) {
      fail("a payload of " + std::to_string(payload.size()) + " bytes came back as another");
    }
  }
}

void qos(const std::string& uri) {
  Client client(uri);
  client.subscribe("qos", 2);
  for (int i = 0; i < 30; ++i) {
    client.publish("qos", std::to_string(i), i % 3);
    expect(client.next().payload, std::to_string(i), "payload");
  }
}

void order(const std::string& uri) {
  constexpr int messages = 10'000;
  Client subscriber(uri);
  subscriber.subscribe("order/#");
  Client publisher(uri);
  for (int i = 0; i < messages; ++i) {
    publisher.publish("order/" + std::to_string(i % 5), std::to_string(i), 0);
  }
  for (int i = 0; i < messages; ++i) {
    expect(subscriber.next().payload, std::to_string(i), "message");
  }
}

void retained(const std::string& uri) {
  Client publisher(uri);
  publisher.publish("kept", "old", 1, true);
  publisher.publish("kept", "new", 1, true);
  Client subscriber(uri);
  subscriber.subscribe("kept");
  const Received first = subscriber.next();
  expect<std::string>(first.payload, "new", "retained payload");
  expect(first.retained, true, "retain of the retained message");
  publisher.publish("kept", "live", 1, true);
  const Received second = subscriber.next();
  expect<std::string>(second.payload, "live", "live payload");
  expect(second.retained, false, "retain of the live message");
}

void will(const std::string& uri) {
  Client watcher(uri);
  watcher.subscribe("gone");
  Client first(uri, "mortal", mqtt::make_message("gone", "taken over", 1, false));
  Client second(uri, "mortal");  // ends the first one's connection without its DISCONNECT
  expect<std::string>(watcher.next().payload, "taken over", "will");
}

void restart(const std::string& uri) {
  Client client(uri, "steady", {}, true);
  client.subscribe("kept/+");
  std::cout << "RESTART" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!client.api().is_connected()) {
    if (std::chrono::steady_clock::now() > deadline) fail("not connected again");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // Sessions are clean: the subscription ended with the old connection.
  client.subscribe("kept/+");
  client.publish("kept/a", "after");
  mqtt::const_message_ptr message;
  while (!message) {  // an empty one tells of the connection that was lost
    if (!client.api().try_consume_message_for(&message, patience)) fail("no message came");
  }
  expect<std::string>(message->to_string(), "after", "payload");
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<void(const std::string&)>> scenarios = {
      {"pubsub", pubsub},     {"payloads", payloads}, {"qos", qos},        {"order", order},
      {"retained", retained}, {"will", will},         {"restart", restart}};
  if (argc != 4 || !scenarios.contains(argv[3])) fail("usage: paho_cpp HOST PORT SCENARIO");
  try {
    scenarios.at(argv[3])("tcp://" + std::string(argv[1]) + ":" + argv[2]);
  } catch (const mqtt::exception& error) {
    fail(std::string("Paho: ") + error.what());
  }
}
