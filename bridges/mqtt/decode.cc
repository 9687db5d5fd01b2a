#include "base/assert.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/text.h"
#include "subject/slash.h"

namespace spanwire::mqtt {
namespace {

// Takes fields off the front of a packet's body. The first that is missing or wrong is kept as the
// reason, and ends the reading: later takes return empty fields.
class Fields {
 public:
  explicit Fields(std::string_view body) : rest_(body) {}

  Malformed reason() const { return reason_; }
  bool failed() const { return reason_ != Malformed::none; }
  std::string_view rest() const { return rest_; }

  void fail(Malformed reason) {
    if (!failed()) reason_ = reason;
  }

  std::uint8_t u8() {
    const std::string_view byte = bytes(1);
    return byte.empty() ? 0 : static_cast<std::uint8_t>(byte[0]);
  }

  std::uint16_t u16() {
    const std::string_view two = bytes(2);
    if (two.empty()) return 0;
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(two[0]) << 8 |
                                      static_cast<std::uint8_t>(two[1]));
  }

  std::uint16_t packet_id() {
    const std::uint16_t id = u16();
    if (id == 0) fail(Malformed::packet_id_zero);
    return id;
  }

  std::string_view binary() { return bytes(u16()); }

  std::string_view text() {
    const std::string_view taken = binary();
    if (!failed()) fail(reason_of(check_text(taken)));
    return taken;
  }

  std::string_view topic_name() {
    const std::string_view topic = text();
    if (topic.empty()) fail(Malformed::topic_empty);
    if (!failed() && !subject::is_valid_topic_name(topic)) fail(Malformed::topic_wildcard);
    return topic;
  }

  std::string_view topic_filter() {
    const std::string_view filter = text();
    if (!failed() && !subject::is_valid_topic_filter(filter)) fail(Malformed::filter);
    return filter;
  }

  std::string_view bytes(std::size_t size) {
    if (failed()) return {};
    if (size > rest_.size()) {
      fail(Malformed::missing_bytes);
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  // Nothing is left, or it is a failure.
  void end() {
    if (!rest_.empty()) fail(Malformed::excess_bytes);
  }

 private:
  static Malformed reason_of(Text text) {
    switch (text) {
      case Text::ok:
        return Malformed::none;
      case Text::ill_formed:
        return Malformed::text_ill_formed;
      case Text::nul:
        return Malformed::text_nul;
      case Text::control:
        return Malformed::text_control;
      case Text::noncharacter:
        return Malformed::text_noncharacter;
    }
    return Malformed::none;
  }

  std::string_view rest_;
  Malformed reason_ = Malformed::none;
};

// The flags that the table of 2.2.2 fixes for a packet other than PUBLISH.
unsigned fixed_flags(PacketType type) {
  const bool asks = type == PacketType::pubrel || type == PacketType::subscribe ||
                    type == PacketType::unsubscribe;
  return asks ? 2 : 0;
}

Qos qos_of(unsigned bits) {
  return static_cast<Qos>(bits & 3U);
}

constexpr unsigned reserved_qos = 3;

Malformed check_publish_flags(unsigned flags) {
  const unsigned qos = flags >> 1 & 3U;
  if (qos == reserved_qos) return Malformed::qos;
  return qos == 0 && (flags & 8U) != 0 ? Malformed::dup_without_qos : Malformed::none;
}

Malformed check_first_byte(std::uint8_t byte) {
  const unsigned flags = byte & 0x0fU;
  const auto type = static_cast<PacketType>(byte >> 4);
  switch (type) {
    case PacketType::publish:
      return check_publish_flags(flags);
    case PacketType::connack:
    case PacketType::suback:
    case PacketType::unsuback:
    case PacketType::pingresp:
      return Malformed::server_packet;
    case PacketType::connect:
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq:
    case PacketType::disconnect:
      return flags == fixed_flags(type) ? Malformed::none : Malformed::reserved_flags;
  }
  return Malformed::reserved_type;
}

// All but the payload.
void read_head(Fields& fields, unsigned flags, Publish& packet) {
  packet.qos = qos_of(flags >> 1);
  packet.dup = (flags & 8U) != 0;
  packet.retain = (flags & 1U) != 0;
  packet.topic = fields.topic_name();
  if (packet.qos != Qos::at_most_once) packet.packet_id = fields.packet_id();
}

void read(Fields& fields, unsigned flags, Publish& packet) {
  read_head(fields, flags, packet);
  packet.payload = fields.bytes(fields.rest().size());
}

// The bits of the connect flags (3.1.2.3).
constexpr unsigned flag_reserved = 0x01;
constexpr unsigned flag_clean_session = 0x02;
constexpr unsigned flag_will = 0x04;
constexpr unsigned flag_will_retain = 0x20;
constexpr unsigned flag_password = 0x40;
constexpr unsigned flag_user_name = 0x80;

unsigned will_qos(unsigned flags) {
  return flags >> 3 & 3U;
}

Malformed check_connect_flags(unsigned flags) {
  if ((flags & flag_reserved) != 0) return Malformed::connect_flag_reserved;
  const bool will = (flags & flag_will) != 0;
  if (!will && (will_qos(flags) != 0 || (flags & flag_will_retain) != 0)) {
    return Malformed::will_flags;
  }
  if (will_qos(flags) == reserved_qos) return Malformed::qos;
  const bool password = (flags & flag_password) != 0;
  return password && (flags & flag_user_name) == 0 ? Malformed::password_without_user
                                                   : Malformed::none;
}

// What follows name and level.
void read(Fields& fields, Connect& packet) {
  const unsigned flags = fields.u8();
  fields.fail(check_connect_flags(flags));
  packet.clean_session = (flags & flag_clean_session) != 0;
  packet.keep_alive_s = fields.u16();
  packet.client_id = fields.text();
  if ((flags & flag_will) != 0) {
    Will& will = packet.will.emplace();
    will.qos = qos_of(will_qos(flags));
    will.retain = (flags & flag_will_retain) != 0;
    will.topic = fields.topic_name();
    will.payload = fields.binary();
  }
  if ((flags & flag_user_name) != 0) packet.user_name = fields.text();
  if ((flags & flag_password) != 0) packet.password = fields.binary();
  fields.end();
}

void read_connect(Fields& fields, ClientPacket& out) {
  const std::string_view name = fields.binary();
  const std::uint8_t level = fields.u8();
  const bool known = name == "MQTT" || (name == "MQIsdp" && level == 3);
  if (!known) fields.fail(Malformed::protocol_name);
  if (level == 4) return read(fields, out.emplace<Connect>());
  out = UnsupportedConnect{.protocol_name = name, .protocol_level = level};
}

template <class Acknowledgement>
void read(Fields& fields, Acknowledgement& packet) {
  packet.packet_id = fields.packet_id();
  fields.end();
}

Subscription read_entry(Fields& fields, Subscription) {
  Subscription entry{.filter = fields.topic_filter()};
  const unsigned options = fields.u8();
  if (options >= reserved_qos) fields.fail(Malformed::subscription_options);
  entry.qos = qos_of(options);
  return entry;
}

std::string_view read_entry(Fields& fields, std::string_view) {
  return fields.topic_filter();
}

template <class Entry>
EntryList<Entry> read_list(Fields& fields) {
  const std::string_view bytes = fields.rest();
  std::size_t count = 0;
  for (; !fields.rest().empty() && !fields.failed(); ++count) read_entry(fields, Entry());
  if (count == 0) fields.fail(Malformed::no_filter);
  return {bytes, count};
}

void read(Fields& fields, Subscribe& packet) {
  packet.packet_id = fields.packet_id();
  packet.subscriptions = read_list<Subscription>(fields);
}

void read(Fields& fields, Unsubscribe& packet) {
  packet.packet_id = fields.packet_id();
  packet.filters = read_list<std::string_view>(fields);
}

void read(Fields& fields, Pingreq&) {
  fields.end();
}

void read(Fields& fields, Disconnect&) {
  fields.end();
}

// Into its place: a packet is not copied on its way to the session.
void read_body(Fields& fields, std::uint8_t first_byte, ClientPacket& out) {
  switch (static_cast<PacketType>(first_byte >> 4)) {
    case PacketType::connect:
      return read_connect(fields, out);
    case PacketType::publish:
      return read(fields, first_byte & 0x0fU, out.emplace<Publish>());
    case PacketType::puback:
      return read(fields, out.emplace<Puback>());
    case PacketType::pubrec:
      return read(fields, out.emplace<Pubrec>());
    case PacketType::pubrel:
      return read(fields, out.emplace<Pubrel>());
    case PacketType::pubcomp:
      return read(fields, out.emplace<Pubcomp>());
    case PacketType::subscribe:
      return read(fields, out.emplace<Subscribe>());
    case PacketType::unsubscribe:
      return read(fields, out.emplace<Unsubscribe>());
    case PacketType::pingreq:
      return read(fields, out.emplace<Pingreq>());
    case PacketType::disconnect:
      return read(fields, out.emplace<Disconnect>());
    case PacketType::connack:
    case PacketType::suback:
    case PacketType::unsuback:
    case PacketType::pingresp:
      break;
  }
  BASE_ASSERT(false);  // check_first_byte() let it pass
}

Decoded malformed(Malformed reason) {
  return {.status = Decode::malformed, .reason = reason};
}

// The fixed header at the front of `in`. If ok, `size_bytes` is the whole packet's.
Decoded read_fixed_header(std::string_view in, std::size_t max_packet_size_bytes,
                          std::size_t& header_size) {
  if (in.empty()) return {};
  const Malformed reason = check_first_byte(static_cast<std::uint8_t>(in[0]));
  if (reason != Malformed::none) return malformed(reason);
  Varint remaining;
  const Decode length = read_varint(in.substr(1), remaining);
  if (length == Decode::malformed) return malformed(Malformed::length_varint);
  if (length == Decode::need_more) return {};
  header_size = 1 + remaining.size_bytes;
  const std::size_t size = header_size + remaining.value;
  if (size > max_packet_size_bytes) return malformed(Malformed::too_large);
  return {.status = Decode::ok, .size_bytes = size};
}

}  // namespace

template <>
bool EntryList<Subscription>::next(Subscription& entry) {
  if (count_ == 0) return false;
  Fields fields(rest_);
  entry.filter = fields.binary();
  entry.qos = qos_of(fields.u8());
  rest_ = fields.rest();
  --count_;
  return true;
}

template <>
bool EntryList<std::string_view>::next(std::string_view& entry) {
  if (count_ == 0) return false;
  Fields fields(rest_);
  entry = fields.binary();
  rest_ = fields.rest();
  --count_;
  return true;
}

Decoded decode_client_packet(std::string_view in, std::size_t max_packet_size_bytes,
                             ClientPacket& out) {
  std::size_t header_size = 0;
  const Decoded header = read_fixed_header(in, max_packet_size_bytes, header_size);
  if (header.status != Decode::ok) return header;
  const std::size_t size = header.size_bytes;
  if (size > in.size()) return {.size_bytes = size};
  Fields fields(in.substr(header_size, size - header_size));
  read_body(fields, static_cast<std::uint8_t>(in[0]), out);
  if (fields.failed()) return malformed(fields.reason());
  return header;
}

Decoded decode_publish_head(std::string_view in, std::size_t max_packet_size_bytes,
                            PublishHead& out) {
  std::size_t header_size = 0;
  const Decoded header = read_fixed_header(in, max_packet_size_bytes, header_size);
  if (header.status != Decode::ok) return header;
  const std::size_t size = header.size_bytes;
  BASE_ASSERT(static_cast<std::uint8_t>(in[0]) >> 4 == static_cast<unsigned>(PacketType::publish));
  BASE_ASSERT(in.size() <= size);
  Fields fields(in.substr(header_size));
  read_head(fields, static_cast<std::uint8_t>(in[0]) & 0x0fU, out.packet);
  if (fields.reason() == Malformed::missing_bytes && in.size() < size) return {.size_bytes = size};
  if (fields.failed()) return malformed(fields.reason());
  out.packet.payload = fields.rest();
  out.payload_size_bytes = size - in.size() + fields.rest().size();
  return header;
}

std::string_view describe(Malformed reason) {
  switch (reason) {
    case Malformed::none:
      return "nothing wrong";
    case Malformed::reserved_type:
      return "reserved packet type";
    case Malformed::server_packet:
      return "packet that only a server sends";
    case Malformed::reserved_flags:
      return "reserved header flags";
    case Malformed::qos:
      return "QoS 3";
    case Malformed::dup_without_qos:
      return "DUP with QoS 0";
    case Malformed::length_varint:
      return "remaining length of more than four bytes";
    case Malformed::too_large:
      return "packet above the maximum size";
    case Malformed::missing_bytes:
      return "missing bytes";
    case Malformed::excess_bytes:
      return "excess bytes";
    case Malformed::protocol_name:
      return "unknown protocol name";
    case Malformed::connect_flag_reserved:
      return "reserved connect flag";
    case Malformed::will_flags:
      return "will QoS or retain without a will";
    case Malformed::password_without_user:
      return "password without user name";
    case Malformed::packet_id_zero:
      return "packet identifier 0";
    case Malformed::text_ill_formed:
      return "ill-formed UTF-8";
    case Malformed::text_nul:
      return "U+0000 in a string";
    case Malformed::text_control:
      return "control character in a string";
    case Malformed::text_noncharacter:
      return "non-character in a string";
    case Malformed::topic_empty:
      return "empty topic name";
    case Malformed::topic_wildcard:
      return "wildcard in a topic name";
    case Malformed::filter:
      return "invalid topic filter";
    case Malformed::no_filter:
      return "no topic filter";
    case Malformed::subscription_options:
      return "QoS 3 or reserved bits in a subscription";
  }
  return "unknown";
}

}  // namespace spanwire::mqtt
