// The control packets of MQTT 3.1.1, one struct each, as what they say and not as bytes. Text and
// payloads are views: of a decoded packet into the bytes that it was decoded from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace spanwire::mqtt {

enum class PacketType : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
};

enum class Qos : std::uint8_t { at_most_once, at_least_once, exactly_once };

struct Will {
  std::string_view topic;
  std::string_view payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  friend bool operator==(const Will&, const Will&) = default;
};

struct Connect {
  std::string_view client_id;  // may be empty: the session decides
  std::optional<Will> will;
  std::optional<std::string_view> user_name;
  std::optional<std::string_view> password;  // any bytes
  std::uint16_t keep_alive_s = 0;            // 0: none
  bool clean_session = true;
  friend bool operator==(const Connect&, const Connect&) = default;
};

// A CONNECT of another version, of which no more is known: the answer is CONNACK 1, then close
// [MQTT-3.1.2-2].
struct UnsupportedConnect {
  std::string_view protocol_name;  // `MQTT`, or `MQIsdp` of MQTT 3.1
  std::uint8_t protocol_level = 0;
  friend bool operator==(const UnsupportedConnect&, const UnsupportedConnect&) = default;
};

enum class ConnackCode : std::uint8_t {
  accepted,
  bad_protocol_level,
  identifier_rejected,
  server_unavailable,
  bad_credentials,
  not_authorized,
};

struct Connack {
  ConnackCode code = ConnackCode::accepted;
  bool session_present = false;  // only if accepted [MQTT-3.2.2-4]
  friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
  std::string_view topic;
  std::string_view payload;
  std::uint16_t packet_id = 0;  // 0 with at_most_once, and only then [MQTT-2.3.1-1, 2.3.1-5]
  Qos qos = Qos::at_most_once;
  bool dup = false;  // not with at_most_once [MQTT-3.3.1-2]
  bool retain = false;
  friend bool operator==(const Publish&, const Publish&) = default;
};

struct Puback {
  std::uint16_t packet_id = 0;
  friend bool operator==(const Puback&, const Puback&) = default;
};

struct Pubrec {
  std::uint16_t packet_id = 0;
  friend bool operator==(const Pubrec&, const Pubrec&) = default;
};

struct Pubrel {
  std::uint16_t packet_id = 0;
  friend bool operator==(const Pubrel&, const Pubrel&) = default;
};

struct Pubcomp {
  std::uint16_t packet_id = 0;
  friend bool operator==(const Pubcomp&, const Pubcomp&) = default;
};

struct Subscription {
  std::string_view filter;
  Qos qos = Qos::at_most_once;
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

// The list in a decoded SUBSCRIBE or UNSUBSCRIBE, read from its bytes, which the decoder has
// checked: a list of any length needs no memory. Copy it to read it twice.
template <class Entry>
class EntryList {
 public:
  EntryList() = default;
  EntryList(std::string_view bytes, std::size_t count) : rest_(bytes), count_(count) {}
  std::size_t count() const { return count_; }  // of the entries that next() has not yet taken
  // False when none is left; `entry` is then untouched.
  bool next(Entry& entry);
  friend bool operator==(const EntryList&, const EntryList&) = default;

 private:
  std::string_view rest_;
  std::size_t count_ = 0;
};
template <>
bool EntryList<Subscription>::next(Subscription& entry);
template <>
bool EntryList<std::string_view>::next(std::string_view& entry);

struct Subscribe {
  std::uint16_t packet_id = 0;
  EntryList<Subscription> subscriptions;  // one at least
  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

enum class SubackCode : std::uint8_t { qos_0, qos_1, qos_2, failure = 0x80 };

struct Suback {
  std::uint16_t packet_id = 0;
  std::span<const SubackCode> codes;  // one for each subscription, in order [MQTT-3.8.4-5]
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  EntryList<std::string_view> filters;  // one at least
  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

struct Unsuback {
  std::uint16_t packet_id = 0;
  friend bool operator==(const Unsuback&, const Unsuback&) = default;
};

struct Pingreq {
  friend bool operator==(const Pingreq&, const Pingreq&) = default;
};

struct Pingresp {
  friend bool operator==(const Pingresp&, const Pingresp&) = default;
};

struct Disconnect {
  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

// What a client may send.
using ClientPacket = std::variant<Connect, UnsupportedConnect, Publish, Puback, Pubrec, Pubrel,
                                  Pubcomp, Subscribe, Unsubscribe, Pingreq, Disconnect>;

}  // namespace spanwire::mqtt
