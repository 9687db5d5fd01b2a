// What passes between loops: one parcel for each destination and turn, pushed into its one inbox.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/done.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "bus/message.h"

namespace spanwire::bus {

class Interest;

// A queue member that the sending loop has drawn on the receiving one.
struct Drawn {
  base::SubId sub = base::SubId::none;
  std::string_view group;
  std::uint64_t tried_loops = 0;  // a bit for each loop whose members did not take the message
};

// One message in a parcel, as the receiving loop reads it. Views into the parcel.
struct ParcelEntry {
  Interest* interest = nullptr;
  MessageView message;
  bool to_plain = true;  // false: only for the drawn members (plain ones had it before)
  ReceiptId receipt = ReceiptId::none;  // of the source loop: it waits for one answer
  std::vector<Drawn> drawn;
};

// Messages, each once whatever the number of subscribers at the destination, and tasks, both in
// order. Bodies of by_reference_bytes and more go by reference. Filled by one loop, read by
// another.
class Parcel {
 public:
  explicit Parcel(base::LoopId source) : source_(source) {}

  // `receipt`: the source's, if it waits for the durable targets there.
  void add(Interest& interest, const MessageView& message, bool to_plain,
           std::span<const Drawn> drawn, ReceiptId receipt = ReceiptId::none);
  void add(base::Task task) { tasks_.push_back(std::move(task)); }

  // Reads the next message into `entry`, whose storage is reused; false at the end.
  bool next(ParcelEntry& entry);

  base::LoopId source() const { return source_; }
  // When it was handed over.
  base::Time time() const { return time_; }
  void set_time(base::Time time) { time_ = time; }
  std::vector<base::Task>& tasks() { return tasks_; }
  bool empty() const { return used_ == 0 && tasks_.empty(); }
  // What it holds of messages, by copy and by reference, and its tasks: the unit of every inbox
  // limit.
  std::size_t size_bytes() const {
    return used_ + referenced_bytes_ + tasks_.size() * sizeof(base::Task);
  }
  // Ready for use again. A buffer that one burst has made large is given up.
  void clear();

 private:
  char* extend(std::size_t bytes);

  base::LoopId source_;
  base::Time time_{};
  std::unique_ptr<char[]> arena_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  std::size_t read_ = 0;
  std::vector<base::Ref<const Message>> referenced_;
  std::size_t referenced_bytes_ = 0;
  std::vector<base::Task> tasks_;
};

// The inboxes of all loops and the lanes between them. One for the process.
class Exchange {
 public:
  explicit Exchange(std::size_t loops);

  std::size_t loops() const { return loops_; }
  // What makes a sleeping loop look into its inbox. Set before the loops run.
  void set_wake(base::LoopId loop, base::Task wake);

  // Pushes the parcels (by destination, null for none) while it holds the inbox locks of all
  // destinations, in loop order; then wakes those that sleep. On the source's loop.
  void hand_over(base::LoopId source, std::span<std::unique_ptr<Parcel>> parcels);
  // Appends what has arrived to `into`. On the destination's loop.
  void take(base::LoopId destination, std::vector<std::unique_ptr<Parcel>>& into);
  // The destination is done with the messages of a parcel: returns true if the source waits for
  // the lane to drain and may now go on.
  bool drained(base::LoopId destination, base::LoopId source, std::size_t bytes,
               std::size_t relief_bytes);

  // An empty parcel for the lane, used before if one came back.
  std::unique_ptr<Parcel> fresh(base::LoopId source, base::LoopId destination);
  void give_back(base::LoopId destination, std::unique_ptr<Parcel> parcel);

  std::size_t lane_bytes(base::LoopId source, base::LoopId destination) const;
  // Asks for the relief of drained(). Set before the hand-over whose drain it waits for.
  void wait_for(base::LoopId source, base::LoopId destination);

  // True if the inbox is empty and hand_over() will wake the loop from now on. On the loop.
  bool fall_asleep(base::LoopId loop);
  void wake_up(base::LoopId loop);
  // Whether something waits in the inbox.
  bool filled(base::LoopId loop) const { return inboxes_[loop].filled.load(); }
  bool sleeping(base::LoopId loop) const { return inboxes_[loop].asleep.load(); }

 private:
  struct alignas(64) Inbox {
    base::Mutex mutex;
    std::vector<std::unique_ptr<Parcel>> parcels ABSL_GUARDED_BY(mutex);
    std::atomic<bool> filled{false};
    std::atomic<bool> asleep{false};
    base::Task wake;
  };
  struct alignas(64) Lane {
    std::atomic<std::size_t> bytes{0};
    std::atomic<bool> source_waits{false};
    std::array<std::atomic<Parcel*>, 8> spares{};  // a turn with early flushes uses several
    ~Lane() {
      for (auto& spare : spares) delete spare.load();
    }
  };
  Lane& lane(base::LoopId source, base::LoopId destination) const {
    return lanes_[source * loops_ + destination];
  }

  std::size_t loops_;
  std::unique_ptr<Inbox[]> inboxes_;
  std::unique_ptr<Lane[]> lanes_;
};

}  // namespace spanwire::bus
