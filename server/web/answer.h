// How a handler answers a request: at once, or later on the same loop.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/done.h"
#include "base/ref.h"
#include "bus/message.h"
#include "http/message.h"

namespace spanwire::web {

class Session;

// Views need to live only until send() returns.
struct Reply {
  int status = 200;
  std::string_view type;                 // Content-Type, or empty
  std::span<const http::Header> fields;  // further header fields
  std::string_view body;
  base::Ref<const bus::Message> message;  // if set, `body` lies in it: a large one is not copied
};

// What a client was answered, in short: for logs.
struct Given {
  int status = 0;
  std::size_t body_bytes = 0;
  std::string_view reason;  // of a refusal; else empty
};

// The right and the duty to answer one request. It may be kept and moved anywhere, but is used and
// destroyed on its own loop. The client may be gone by then; answering is then without effect. One
// that is destroyed unanswered answers 500, so that no client waits for ever.
class Answer {
 public:
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer();

  // Each of these once, and only one of them.
  void send(const Reply& reply);
  // A short page that says what went wrong: a status of 400 or more, one line of our own text
  // without a full stop.
  void refuse(int status, std::string_view reason, std::span<const http::Header> fields = {});

  // Is told what the answer was, even if the client has gone meanwhile. One at most.
  void set_watch(base::Done<const Given&> watch);

  // False: the client has gone, nobody needs the work.
  bool wanted() const;

 private:
  friend class Session;
  struct Slot {
    Session* session = nullptr;  // none: it has ended before its answer came
    base::Done<const Given&> watch;
  };
  void tell(const Given& given);
  explicit Answer(std::unique_ptr<Slot> slot) : slot_(std::move(slot)) {}

  std::unique_ptr<Slot> slot_;  // the session's; none: answered
};

}  // namespace spanwire::web
