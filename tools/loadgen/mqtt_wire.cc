#include "tools/loadgen/mqtt_wire.h"

#include <fmt/format.h>

#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {
namespace {

using namespace std::string_view_literals;

// Remaining Length (MQTT 3.1.1, 2.2.3): seven bits a byte, low bits first.
void append_length(std::string& out, std::size_t length) {
  do {
    const std::size_t low = length & 0x7fU;
    length >>= 7;
    out.push_back(static_cast<char>(low | (length > 0 ? 0x80U : 0U)));
  } while (length > 0);
}

std::size_t length_bytes(std::size_t length) {
  std::size_t bytes = 1;
  for (length >>= 7; length > 0; length >>= 7) ++bytes;
  return bytes;
}

void append_text(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size() >> 8));
  out.push_back(static_cast<char>(text.size() & 0xffU));
  out.append(text);
}

// Protocol name and level, a clean session, no keep-alive, and a client id of the server's choice.
constexpr auto connect_packet = "\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"sv;
constexpr auto accepted = "\x20\x02\x00\x00"sv;
constexpr auto granted = "\x90\x03\x00\x01\x00"sv;  // of packet id 1, QoS 0

}  // namespace

base::Status MqttWire::join(int fd, const Interest& interest) const {
  std::string hello(connect_packet);
  std::string expected(accepted);
  if (!interest.filter.empty()) {
    hello.push_back('\x82');
    append_length(hello, 2 + 2 + interest.filter.size() + 1);
    hello.append("\x00\x01"sv);
    append_text(hello, interest.filter);
    hello.push_back('\x00');
    expected.append(granted);
  }
  hello.append(fence());
  expected.append(fence_answer());
  if (base::Status sent = send_all(fd, hello); !sent) return sent;
  std::string answer;
  while (answer.size() < expected.size()) {
    if (base::Status got = receive_some(fd, answer); !got) return got;
  }
  if (answer != expected) return base::fail("the server did not accept CONNECT and SUBSCRIBE");
  return {};
}

std::string MqttWire::subject(std::uint32_t group) const {
  return fmt::format("load/{:03}", group);
}

std::string MqttWire::subject(std::uint32_t group, std::uint32_t number) const {
  return fmt::format("load/{:03}/{:07}", group, number);
}

std::string MqttWire::all_subjects(std::uint32_t group) const {
  return fmt::format("load/{:03}/#", group);
}

void MqttWire::append_publish(std::string& out, std::string_view subject,
                              std::string_view payload) const {
  out.push_back('\x30');
  append_length(out, 2 + subject.size() + payload.size());
  append_text(out, subject);
  out.append(payload);
}

std::size_t MqttWire::payload_offset(std::string_view subject, std::size_t payload) const {
  return 1 + length_bytes(2 + subject.size() + payload) + 2 + subject.size();
}

std::size_t MqttWire::delivery_bytes(std::string_view subject, std::size_t payload) const {
  return payload_offset(subject, payload) + payload;
}

}  // namespace spanwire::loadgen
