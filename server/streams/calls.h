// The open calls of a client: the order in which they go out, their answers, and their time.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/lifeline.h"
#include "base/loop.h"
#include "streams/link.h"

namespace spanwire::streams {

struct Request {
  std::string subject;
  std::string headers;
  std::string payload;
};

struct Reply {
  enum class Kind : std::uint8_t {
    message,
    nobody,  // no responders
    late,    // none came in time
    full,    // the link did not take the request
  };
  Kind kind = Kind::late;
  const bus::MessageView* message = nullptr;  // of Kind::message, valid during the call
};

// Calls of one stream begin in their order. Beside each other are under way only those that keep
// it by themselves: what is published to a stream, and what only reads.
enum class Company : std::uint8_t { appends, reads, none };

// So much of one stream is under way at once, far below what makes a server refuse more; the rest
// waits here.
inline constexpr std::size_t max_under_way = 4096;
inline constexpr std::size_t max_under_way_bytes = std::size_t{16} << 20U;

// Lives on its loop. Each call ends in its Then: once, and never inside call().
class Calls {
 public:
  // May return another request, which goes on with the call, in the same place among the others.
  using Then = absl::AnyInvocable<std::optional<Request>(const Reply&)>;

  Calls(base::Loop& loop, Link& link, base::Duration timeout)
      : loop_(loop), link_(link), timeout_(timeout) {}
  ~Calls() { loop_.cancel_timer(timer_); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  std::size_t open() const { return calls_.size(); }
  // An empty stream: at once, in no order.
  void call(std::string_view stream, Company company, Request request, Then then);
  // `token`: of an inbox, as the link has it. Unknown ones are ignored.
  void on_answer(std::string_view token, const bus::MessageView& message);

 private:
  using Id = std::uint64_t;
  struct Call {
    std::string stream;
    Company company = Company::none;
    Request request;  // until it is sent
    Then then;
    std::size_t bytes = 0;  // of the request
    bool sent = false;
  };
  // The calls of one stream that are not over.
  struct Lane {
    std::deque<Id> waiting;
    Company company = Company::none;  // of those under way
    std::size_t under_way = 0;
    std::size_t bytes = 0;
    bool takes(Company next) const {
      if (under_way == 0) return true;
      return next == company && next != Company::none && under_way < max_under_way &&
             bytes < max_under_way_bytes;
    }
  };
  struct Deadline {
    base::Time at;
    Id id;
  };

  Id add(Call call);
  void send(Id id);
  void pump(const std::string& stream);
  void end(Id id, const Reply& reply);
  void forget_deadlines();
  void arm();
  void on_time();

  base::Loop& loop_;
  Link& link_;
  base::Duration timeout_;
  Id last_id_ = 0;
  absl::flat_hash_map<Id, Call> calls_;
  absl::flat_hash_map<std::string, Lane> lanes_;
  std::deque<Deadline> deadlines_;  // by time; those of calls that are over pass unheard
  base::TimerId timer_ = base::TimerId::none;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::streams
