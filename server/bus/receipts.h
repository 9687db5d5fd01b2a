// Who waits for what durable targets answer to a message, on one loop.
//
// A published message carries a receipt. A target that will keep it claims the receipt while the
// message is delivered, and answers it when the message is on the disk or will never be. A loop to
// which the message was sent answers once for all targets there.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"
#include "base/counter.h"
#include "base/done.h"
#include "base/loop.h"
#include "bus/message.h"

namespace spanwire::bus {

// What durable targets have answered; of several the worst, in this order.
struct Storing {
  enum class Outcome : std::uint8_t {
    stored,   // each target has it on its disk
    refused,  // a target will not have it: a limit
    unknown,  // a target may have it or not: a failed disk, or no answer in time
  };
  Outcome outcome = Outcome::stored;
  std::uint32_t targets = 0;   // that have stored it
  std::uint64_t sequence = 0;  // in the stream that has stored it; of several, in one of them
  bool duplicate = false;      // a target had it already
  std::uint32_t code = 0;      // of a refusal: JetStream's number for the error, or 0
  std::string reason;          // of refused and unknown: one line, without a full stop

  void add(Storing other);
};

inline constexpr std::size_t max_open_receipts = 1U << 20;
inline constexpr base::Duration receipt_deadline = std::chrono::seconds(10);

class Receipts {
 public:
  using Answered = base::Done<Storing>;

  explicit Receipts(base::Loop& loop) : loop_(loop) {}
  ~Receipts() { loop_.cancel_timer(timer_); }
  Receipts(const Receipts&) = delete;
  Receipts& operator=(const Receipts&) = delete;

  bool full() const { return open_.size() >= max_open_receipts; }
  // The message is delivered now, one at a time; then comes end().
  ReceiptId begin(Answered answered);
  // One more will answer. Between begin() and end() of this receipt.
  void claim(ReceiptId receipt);
  // Whether anybody has claimed it; else the Done is dropped.
  bool end();
  // After end(), once for each claim; when it is the last, calls the Done. One that nobody waits
  // for any more is ignored.
  void answer(ReceiptId receipt, Storing storing);

  std::size_t size() const { return open_.size(); }
  // Receipts that were not answered in time.
  const base::Counter& expired() const { return expired_; }

 private:
  struct Open {
    Answered answered;
    Storing storing;
    std::uint32_t claims = 0;  // that were not answered yet
  };
  struct Deadline {
    base::Time at;
    ReceiptId receipt;
  };

  void arm();
  void expire();
  void drop_deadlines();

  base::Loop& loop_;
  std::uint64_t last_ = 0;
  ReceiptId current_ = ReceiptId::none;  // whose message is delivered
  Open beginning_;
  absl::flat_hash_map<ReceiptId, Open> open_;
  std::deque<Deadline> deadlines_;  // in order; the first one's receipt is open
  base::TimerId timer_ = base::TimerId::none;
  base::Counter expired_;
};

}  // namespace spanwire::bus
