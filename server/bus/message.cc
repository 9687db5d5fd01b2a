#include "bus/message.h"

#include <cstring>
#include <new>

#include "base/bytes.h"

namespace spanwire::bus {
namespace {

std::uint32_t narrow(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

std::uint32_t own_subject_bytes(const MessageView& head) {
  return head.shows_route() ? 0 : narrow(head.subject.size());
}

}  // namespace

base::Ref<const Message> MessageView::keep() const {
  if (counted == nullptr) return Message::copy(*this);
  if (counted->has_subjects_of(*this)) return base::Ref<const Message>(counted);
  return Message::share(*this, *counted);
}

Message::Message(const MessageView& head, std::size_t headers_bytes, std::size_t payload_bytes,
                 const Message* owner)
    : origin_(head.origin),
      route_bytes_(narrow(head.route.size())),
      subject_bytes_(own_subject_bytes(head)),
      reply_bytes_(narrow(head.reply.size())),
      head_bytes_(route_bytes_ + subject_bytes_ + reply_bytes_),
      headers_bytes_(narrow(headers_bytes)),
      payload_bytes_(narrow(payload_bytes)),
      bytes_(reinterpret_cast<char*>(this + 1)),
      body_(owner == nullptr ? bytes_ + head_bytes_ : owner->body_),
      owner_(owner) {
  char* out = bytes_;
  const auto put = [&out](std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  put(head.route);
  if (subject_bytes_ != 0) put(head.subject);
  put(head.reply);
}

base::Ref<Message> Message::allocate(const MessageView& head, std::size_t headers_bytes,
                                     std::size_t payload_bytes) {
  const std::size_t head_bytes = head.route.size() + own_subject_bytes(head) + head.reply.size();
  void* storage = ::operator new(sizeof(Message) + head_bytes + headers_bytes + payload_bytes);
  return base::Ref<Message>(new (storage) Message(head, headers_bytes, payload_bytes, nullptr));
}

base::Ref<const Message> Message::share(const MessageView& view, const Message& owner) {
  const std::size_t head_bytes = view.route.size() + own_subject_bytes(view) + view.reply.size();
  void* storage = ::operator new(sizeof(Message) + head_bytes);
  return base::Ref<const Message>(
      new (storage) Message(view, owner.headers_bytes_, owner.payload_bytes_, &owner));
}

bool Message::has_subjects_of(const MessageView& view) const {
  if (view.route.data() != bytes_ || view.route.size() != route_bytes_) return false;
  if (subject_bytes_ == 0) return view.shows_route();
  return view.subject.data() == bytes_ + route_bytes_ && view.subject.size() == subject_bytes_;
}

base::Ref<const Message> Message::copy(const MessageView& view) {
  base::Ref<Message> message = allocate(view, view.headers.size(), view.payload.size());
  base::put_text(base::put_text(message->body().data(), view.headers), view.payload);
  return message;
}

void Message::destroy(const Message* message) noexcept {
  message->~Message();
  ::operator delete(const_cast<Message*>(message));
}

MessageView Message::view(const Origin& origin) const {
  MessageView view;
  const char* at = bytes_;
  const auto take = [&at](std::uint32_t size) {
    const std::string_view text(at, size);
    at += size;
    return text;
  };
  view.route = take(route_bytes_);
  view.subject = subject_bytes_ == 0 ? view.route : take(subject_bytes_);
  view.reply = take(reply_bytes_);
  view.headers = {body_, headers_bytes_};
  view.payload = {body_ + headers_bytes_, payload_bytes_};
  view.origin = origin;
  view.counted = this;
  return view;
}

}  // namespace spanwire::bus
