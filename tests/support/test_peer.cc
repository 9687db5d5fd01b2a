#include "tests/support/test_peer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace spanwire::test {

// One read(): the partial frame from before with up to read_limit_ new bytes behind it.
bool TestPeer::read() {
  note_activity(turn().loop().wall_now());
  turn().set_read_time(turn().loop().wall_now());
  if (!owned_->body_space().empty()) return read_body();
  const std::string bytes = input_.substr(0, fed_ + read_limit_);
  const std::size_t used = owned_->on_bytes(bytes);
  input_.erase(0, used);
  fed_ = bytes.size() - used;
  if (!paused_ && fed_ > session::max_partial_bytes) close("Partial Frame Too Large");
  return true;
}

bool TestPeer::read_body() {
  const std::span<char> space = owned_->body_space();
  const std::size_t bytes = std::min({space.size(), input_.size(), read_limit_});
  if (bytes == 0) return false;
  std::memcpy(space.data(), input_.data(), bytes);
  input_.erase(0, bytes);
  fed_ = 0;
  owned_->on_body(bytes);
  return true;
}

void TestPeer::flush() {
  std::array<iovec, 64> vectors;
  while (accepting_ && !outbox_.empty()) {
    const std::size_t used = outbox_.gather(vectors);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < used; ++i) {
      received_.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
      bytes += vectors[i].iov_len;
    }
    wrote(bytes);
  }
}

void TestPeer::finish_close(std::string_view reason, session::Ending ending) {
  closed_ = true;
  reason_ = reason;
  if (ending == session::Ending::flush) {
    flush();
  } else {
    drop_pending();
  }
  drop_timers();
  if (owned_ == nullptr) return;
  owned_->on_closed(reason);
  set_session(nullptr);
  owned_.reset();
}

base::TimerId TestPeer::arm(base::Duration after) {
  auto id = std::make_shared<base::TimerId>();
  *id = turn().loop().start_timer(after, [this, id] {
    timers_.erase(*id);
    if (owned_ != nullptr && !closing()) owned_->on_timer(*id);
  });
  timers_.insert(*id);
  return *id;
}

void TestPeer::disarm(base::TimerId timer) {
  turn().loop().cancel_timer(timer);
  timers_.erase(timer);
}

void TestPeer::drop_timers() {
  for (const base::TimerId timer : timers_) turn().loop().cancel_timer(timer);
  timers_.clear();
}

}  // namespace spanwire::test
