// A message on the bus, as it is passed and as it is kept.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/ids.h"
#include "base/ref.h"

namespace spanwire::bus {

// Which protocol a message came in by: an index into the list of wires (app/wires.cc).
using WireKind = std::uint8_t;

// Where a message comes from. Serves echo=false, no-local, min(QoS) and loop guards; the pair
// (port, number) names a message in the whole process.
struct Origin {
  base::PortId port = base::PortId::none;
  std::uint64_t number = 0;  // counts the messages of this port, from 1
  WireKind wire = 0;
  std::uint8_t qos = 0;
  bool retain = false;
  std::uint8_t hops = 0;
};

class Message;

// Names what the publisher of a message waits for, on one loop (bus/receipts.h).
enum class ReceiptId : std::uint64_t { none = 0 };

// Bytes that somebody else owns, valid during the call that passes them. keep() to hold on.
struct MessageView {
  std::string_view route;    // the subject that is matched
  std::string_view subject;  // the subject that the receiver shows; usually the same bytes
  std::string_view reply;
  std::string_view headers;  // a raw NATS/1.0 block with its empty line, or empty
  std::string_view payload;
  Origin origin;
  const Message* counted = nullptr;  // set when the bytes live in a counted message
  // For durable targets, on the loop where they see it (Port::claim). It is not kept.
  ReceiptId receipt = ReceiptId::none;

  // Shares the counted message behind the view, or at least its body if the view shows another
  // subject; or copies the bytes into a new one.
  base::Ref<const Message> keep() const;
  std::size_t body_size() const { return headers.size() + payload.size(); }
  // Whether subject and route are the same bytes, not only equal ones.
  bool shows_route() const {
    return subject.data() == route.data() && subject.size() == route.size();
  }
};

// From this many bytes of headers and payload on, a message that several places get is counted and
// passed by reference (measured crossover of copy against writev: 2 to 8 KiB). For a single one a
// copy is cheaper than an allocation.
inline constexpr std::size_t by_reference_bytes = 8192;

// A counted message: one allocation, never changed once it is shared.
class Message : public base::RefCounted<Message> {
 public:
  // Copies everything that the view names.
  static base::Ref<const Message> copy(const MessageView& view);
  // With the subjects and the reply of `view`, and the body of `owner`, in which the view's lies.
  static base::Ref<const Message> share(const MessageView& view, const Message& owner);
  // Room for a body that is still to be read; `head` gives everything but headers and payload.
  static base::Ref<Message> allocate(const MessageView& head, std::size_t headers_bytes,
                                     std::size_t payload_bytes);

  // Headers and payload, contiguous. Writable only while nobody else holds the message.
  std::span<char> body() { return {body_, headers_bytes_ + payload_bytes_}; }

  MessageView view() const { return view(origin_); }
  MessageView view(const Origin& origin) const;
  // Whether the view shows what is written here.
  bool has_subjects_of(const MessageView& view) const;
  std::size_t size_bytes() const { return sizeof(Message) + head_bytes_ + body_bytes(); }
  std::size_t body_bytes() const { return std::size_t{headers_bytes_} + payload_bytes_; }

  static void destroy(const Message* message) noexcept;

 private:
  Message(const MessageView& head, std::size_t headers_bytes, std::size_t payload_bytes,
          const Message* owner);
  ~Message() = default;
  friend class base::RefCounted<Message>;

  Origin origin_;
  std::uint32_t route_bytes_;
  std::uint32_t subject_bytes_;  // 0: the same as the route
  std::uint32_t reply_bytes_;
  std::uint32_t head_bytes_;
  std::uint32_t headers_bytes_;
  std::uint32_t payload_bytes_;
  char* bytes_;                           // behind the object: route, subject, reply
  char* body_;                            // headers, payload; behind them, or the owner's
  const base::Ref<const Message> owner_;  // of the body, if it is another one
};

}  // namespace spanwire::bus
