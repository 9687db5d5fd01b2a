// A connection to a NATS server on this machine, for tests: a socket, and as much of the client
// protocol as they need.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace spanwire::test {

// Takes messages off the front of what a server sends.
struct NatsFrame {
  enum class Kind : std::uint8_t { message, ping, pong, other };
  Kind kind = Kind::other;
  std::string_view subject;
  std::string_view sid;
  std::string_view reply;
  std::string_view headers;
  std::string_view payload;
};
// The size of the frame at the front, 0 while it is not complete. What cannot be read is an
// assertion: the server is the reference.
std::size_t read_nats_frame(std::string_view in, NatsFrame& out);

class NatsConnection {
 public:
  explicit NatsConnection(std::uint16_t port);
  ~NatsConnection();
  NatsConnection(const NatsConnection&) = delete;
  NatsConnection& operator=(const NatsConnection&) = delete;

  int descriptor() const { return socket_; }
  void subscribe(std::string_view subject, std::uint64_t sid);
  void unsubscribe(std::uint64_t sid);
  void publish(std::string_view subject, std::string_view reply, std::string_view headers,
               std::string_view payload);
  void ping();
  std::uint64_t pongs() const { return pongs_; }
  // Sends what was written, takes what is there, without waiting; true: something was. Views are
  // valid during the call.
  bool work(const std::function<void(const NatsFrame&)>& on_message);

 private:
  void flush();
  bool receive();

  int socket_;
  std::string in_;
  std::string out_;
  std::uint64_t pongs_ = 0;
};

}  // namespace spanwire::test
