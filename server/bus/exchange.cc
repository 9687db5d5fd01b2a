#include "bus/exchange.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace spanwire::bus {
namespace {

constexpr std::size_t first_arena_bytes = 16 * 1024;
constexpr std::size_t kept_arena_bytes = 1024 * 1024;

// How an entry lies in the arena; the receipt, if there is one, the drawn members and the bytes of
// the message follow it.
struct EntryHead {
  Interest* interest;
  Origin origin;
  std::uint32_t route_bytes;
  std::uint32_t subject_bytes;  // 0: the same as the route
  std::uint32_t reply_bytes;
  std::uint32_t headers_bytes;
  std::uint32_t payload_bytes;
  std::uint32_t referenced;  // 1 + index of the counted message that holds everything, or 0
  std::uint32_t drawn;       // as many as there are queue groups: a peer decides how many that is
  bool to_plain;
  bool has_receipt;
};
struct DrawnHead {
  base::SubId sub;
  std::uint64_t tried_loops;
  std::uint64_t group_bytes;
};

std::size_t aligned(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

template <class T>
void put(char*& out, const T& value) {
  std::memcpy(out, &value, sizeof(T));
  out += sizeof(T);
}
void put(char*& out, std::string_view text) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  out += text.size();
}
template <class T>
T get(const char*& in) {
  T value;
  std::memcpy(&value, in, sizeof(T));
  in += sizeof(T);
  return value;
}
std::string_view get(const char*& in, std::size_t bytes) {
  const std::string_view text(in, bytes);
  in += bytes;
  return text;
}

std::uint32_t narrow(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

}  // namespace

char* Parcel::extend(std::size_t bytes) {
  if (used_ + bytes > capacity_) {
    const std::size_t grown = std::max({first_arena_bytes, capacity_ * 2, used_ + bytes});
    auto arena = std::make_unique_for_overwrite<char[]>(grown);
    if (used_ != 0) std::memcpy(arena.get(), arena_.get(), used_);
    arena_ = std::move(arena);
    capacity_ = grown;
  }
  char* out = arena_.get() + used_;
  used_ += bytes;
  return out;
}

void Parcel::add(Interest& interest, const MessageView& message, bool to_plain,
                 std::span<const Drawn> drawn, ReceiptId receipt) {
  EntryHead head{};
  head.interest = &interest;
  head.origin = message.origin;
  head.has_receipt = receipt != ReceiptId::none;
  head.to_plain = to_plain;
  head.drawn = narrow(drawn.size());
  std::size_t bytes = sizeof(EntryHead) + (head.has_receipt ? sizeof(receipt) : 0);
  for (const Drawn& member : drawn) bytes += sizeof(DrawnHead) + member.group.size();
  const bool by_reference = message.body_size() >= by_reference_bytes;
  if (by_reference) {
    referenced_.push_back(message.keep());
    referenced_bytes_ += referenced_.back()->size_bytes();
    head.referenced = narrow(referenced_.size());
  } else {
    const bool same = message.shows_route();
    head.route_bytes = narrow(message.route.size());
    head.subject_bytes = same ? 0 : narrow(message.subject.size());
    head.reply_bytes = narrow(message.reply.size());
    head.headers_bytes = narrow(message.headers.size());
    head.payload_bytes = narrow(message.payload.size());
    bytes += head.route_bytes + head.subject_bytes + head.reply_bytes + message.body_size();
  }
  char* out = extend(aligned(bytes));
  put(out, head);
  if (head.has_receipt) put(out, receipt);
  for (const Drawn& member : drawn) {
    put(out, DrawnHead{member.sub, member.tried_loops, member.group.size()});
    put(out, member.group);
  }
  if (by_reference) return;
  put(out, message.route);
  if (head.subject_bytes != 0) put(out, message.subject);
  put(out, message.reply);
  put(out, message.headers);
  put(out, message.payload);
}

bool Parcel::next(ParcelEntry& entry) {
  if (read_ == used_) return false;
  const char* const start = arena_.get() + read_;
  const char* in = start;
  const auto head = get<EntryHead>(in);
  entry.interest = head.interest;
  entry.to_plain = head.to_plain;
  entry.receipt = head.has_receipt ? get<ReceiptId>(in) : ReceiptId::none;
  entry.drawn.clear();
  for (std::uint32_t i = 0; i < head.drawn; ++i) {
    const auto member = get<DrawnHead>(in);
    entry.drawn.push_back({member.sub, get(in, member.group_bytes), member.tried_loops});
  }
  if (head.referenced != 0) {
    entry.message = referenced_[head.referenced - 1]->view(head.origin);
  } else {
    MessageView& message = entry.message;
    message.route = get(in, head.route_bytes);
    message.subject = head.subject_bytes == 0 ? message.route : get(in, head.subject_bytes);
    message.reply = get(in, head.reply_bytes);
    message.headers = get(in, head.headers_bytes);
    message.payload = get(in, head.payload_bytes);
    message.origin = head.origin;
    message.counted = nullptr;
    message.receipt = ReceiptId::none;
  }
  read_ += aligned(static_cast<std::size_t>(in - start));
  return true;
}

void Parcel::clear() {
  used_ = 0;
  read_ = 0;
  referenced_.clear();
  referenced_bytes_ = 0;
  tasks_.clear();
  if (capacity_ > kept_arena_bytes) {
    arena_.reset();
    capacity_ = 0;
  }
}

Exchange::Exchange(std::size_t loops)
    : loops_(loops),
      inboxes_(std::make_unique<Inbox[]>(loops)),
      lanes_(std::make_unique<Lane[]>(loops * loops)) {
  BASE_ASSERT(loops > 0 && loops <= base::max_loops);
}

void Exchange::set_wake(base::LoopId loop, base::Task wake) {
  inboxes_[loop].wake = std::move(wake);
}

void Exchange::hand_over(base::LoopId source, std::span<std::unique_ptr<Parcel>> parcels)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (std::size_t to = 0; to < parcels.size(); ++to) {
    if (parcels[to] == nullptr) continue;
    lane(source, static_cast<base::LoopId>(to)).bytes.fetch_add(parcels[to]->size_bytes());
    inboxes_[to].mutex.lock();
  }
  std::uint64_t filled = 0;
  for (std::size_t to = 0; to < parcels.size(); ++to) {
    if (parcels[to] == nullptr) continue;
    inboxes_[to].parcels.push_back(std::move(parcels[to]));
    inboxes_[to].filled.store(true);
    filled |= std::uint64_t{1} << to;
  }
  for (std::size_t to = parcels.size(); to-- > 0;) {
    if ((filled >> to & 1) != 0) inboxes_[to].mutex.unlock();
  }
  for (std::size_t to = 0; to < parcels.size(); ++to) {
    if ((filled >> to & 1) != 0 && inboxes_[to].asleep.exchange(false)) inboxes_[to].wake();
  }
}

void Exchange::take(base::LoopId destination, std::vector<std::unique_ptr<Parcel>>& into) {
  Inbox& inbox = inboxes_[destination];
  if (!inbox.filled.load()) return;
  const base::MutexLock lock(inbox.mutex);
  inbox.filled.store(false);
  std::move(inbox.parcels.begin(), inbox.parcels.end(), std::back_inserter(into));
  inbox.parcels.clear();
}

bool Exchange::drained(base::LoopId destination, base::LoopId source, std::size_t bytes,
                       std::size_t relief_bytes) {
  Lane& from = lane(source, destination);
  const std::size_t left = from.bytes.fetch_sub(bytes) - bytes;
  return left <= relief_bytes && from.source_waits.load() && from.source_waits.exchange(false);
}

std::unique_ptr<Parcel> Exchange::fresh(base::LoopId source, base::LoopId destination) {
  for (auto& spare : lane(source, destination).spares) {
    if (Parcel* parcel = spare.exchange(nullptr)) return std::unique_ptr<Parcel>(parcel);
  }
  return std::make_unique<Parcel>(source);
}

void Exchange::give_back(base::LoopId destination, std::unique_ptr<Parcel> parcel) {
  parcel->clear();
  for (auto& spare : lane(parcel->source(), destination).spares) {
    Parcel* none = nullptr;
    if (spare.compare_exchange_strong(none, parcel.get())) {
      (void)parcel.release();
      return;
    }
  }
}

std::size_t Exchange::lane_bytes(base::LoopId source, base::LoopId destination) const {
  return lane(source, destination).bytes.load(std::memory_order_relaxed);
}

void Exchange::wait_for(base::LoopId source, base::LoopId destination) {
  lane(source, destination).source_waits.store(true);
}

bool Exchange::fall_asleep(base::LoopId loop) {
  Inbox& inbox = inboxes_[loop];
  inbox.asleep.store(true);
  if (!inbox.filled.load()) return true;
  inbox.asleep.store(false);
  return false;
}

void Exchange::wake_up(base::LoopId loop) {
  inboxes_[loop].asleep.store(false);
}

}  // namespace spanwire::bus
