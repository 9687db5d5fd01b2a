#include "net/connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "logging/logging.h"

namespace spanwire::net {
namespace {

using std::chrono::seconds;

constexpr std::size_t write_vectors = 64;
constexpr int reads_a_turn = 4;
// How long, and for how many bytes, a closed connection's last input is thrown away.
constexpr base::Duration drain_time = seconds(1);
constexpr std::size_t drain_bytes = 4U << 20;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("net");
  return log;
}

std::size_t bytes_of(std::span<const iovec> vectors) {
  std::size_t sum = 0;
  for (const iovec& vector : vectors) sum += vector.iov_len;
  return sum;
}

}  // namespace

Connection::Connection(LoopThread& loop, Accepted accepted)
    : Peer(loop.turn(), accepted.id, std::move(accepted.remote)),
      loop_(loop),
      socket_(std::move(accepted.socket), loop.counts_.transfers) {
  if (accepted.surplus) set_surplus();
}

Connection::~Connection() {
  drop_timers();
}

void Connection::attach(std::unique_ptr<session::Session> session) {
  session_ = std::move(session);
  set_session(session_.get());
  session_->on_open();
}

void Connection::on_events(std::uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    if (life_ == Life::draining) {
      discard_input();
    } else if (!paused_) {
      loop_.make_ready(*this);
    }
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && !writable_) {
    writable_ = true;
    takes_more();
  }
}

void Connection::resume() {
  if (!paused_) return;
  paused_ = false;
  if (readable_ || rest_is_new_) loop_.make_ready(*this);
}

bool Connection::read_some() {
  if (rest_is_new_ && !feed_rest()) return false;
  std::size_t got = 0;
  for (int i = 0; i < reads_a_turn && wants_read() && turn().may_read(); ++i) {
    if (got >= turn().read_quota()) break;
    const bool more = session_->body_space().empty() ? read_input(got) : read_body(got);
    if (!more) break;
  }
  return wants_read();
}

// What a pause left over. False: the session has paused again, or is closing.
bool Connection::feed_rest() {
  if (paused_ || closing() || life_ != Life::open) return false;
  rest_is_new_ = false;
  const std::size_t used = session_->on_bytes(rest_);
  rest_.erase(0, used);
  if (paused_) {
    rest_is_new_ = !rest_.empty();
  } else if (rest_.size() > session::max_partial_bytes) {
    close("Partial Frame Too Large");
  }
  return !paused_ && !closing();
}

bool Connection::read_input(std::size_t& got) {
  char* const buffer = loop_.read_buffer().data();
  const std::size_t before = rest_.size();
  if (before != 0) std::memcpy(buffer, rest_.data(), before);
  const std::size_t room = std::min(loop_.read_buffer().size() - before, LoopThread::read_bytes);
  const ssize_t result = socket_.read({buffer + before, room});
  if (!note_read(result)) return false;
  const auto bytes = static_cast<std::size_t>(result);
  got += bytes;
  const std::string_view input(buffer, before + bytes);
  take_rest(input.substr(session_->on_bytes(input)));
  // A short read has emptied the socket; the next edge says when there is more. An end that came
  // with the data has no edge of its own.
  if (bytes < room && !hung_up_) readable_ = false;
  return readable_;
}

void Connection::take_rest(std::string_view rest) {
  if (closing()) return rest_.clear();
  rest_.assign(rest);
  if (rest_.empty() && rest_.capacity() > 1024) std::string().swap(rest_);
  rest_is_new_ = paused_ && !rest_.empty();
  if (!paused_ && rest_.size() > session::max_partial_bytes) close("Partial Frame Too Large");
}

bool Connection::read_body(std::size_t& got) {
  const ssize_t result = socket_.read(session_->body_space());
  if (!note_read(result)) return false;
  got += static_cast<std::size_t>(result);
  session_->on_body(static_cast<std::size_t>(result));
  return true;
}

// False: nothing was read, for now or for ever.
bool Connection::note_read(ssize_t result) {
  if (result > 0) {
    loop_.read_clocks();
    turn().set_read_time(loop_.wall_now());
    note_activity(loop_.wall_now());
    return true;
  }
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) {
    if (errno == EAGAIN) readable_ = false;
    return false;
  }
  readable_ = false;
  close(result == 0 ? "Client Closed" : "Read Error", session::Ending::discard);
  return false;
}

void Connection::flush() {
  std::array<iovec, write_vectors> vectors;
  const std::uint64_t written_before = written_bytes_;
  while (writable_ && !outbox_.empty()) {
    if (written_bytes_ - written_before >= session::write_quota_bytes) return want_flush();
    const std::span<iovec> all = std::span(vectors).first(outbox_.gather(vectors));
    const ssize_t result = socket_.write(all);
    if (result > 0) {
      // A short write has filled the socket; the next edge says when it takes more.
      writable_ = static_cast<std::size_t>(result) == bytes_of(all);
      written_bytes_ += static_cast<std::uint64_t>(result);
      wrote(static_cast<std::size_t>(result));
    } else if (errno == EAGAIN) {
      writable_ = false;
    } else if (errno != EINTR) {
      drop_pending();
      if (life_ == Life::closing) {
        retire();
      } else {
        close("Write Error", session::Ending::discard);
      }
      return;
    }
  }
  if (outbox_.empty()) {
    if (write_timer_ != base::TimerId::none) loop_.cancel_timer(write_timer_);
    write_timer_ = base::TimerId::none;
    if (life_ == Life::closing) start_draining();
  } else if (write_timer_ == base::TimerId::none) {
    start_write_deadline();
  }
}

void Connection::start_write_deadline() {
  written_at_deadline_start_ = written_bytes_;
  write_timer_ =
      loop_.start_timer(loop_.settings_.write_deadline, [this] { write_deadline_passed(); });
}

void Connection::write_deadline_passed() {
  write_timer_ = base::TimerId::none;
  if (life_ == Life::closing) return retire();
  if (written_bytes_ != written_at_deadline_start_) return start_write_deadline();
  loop_.counts_.slow_writers.add();
  logger().info("{} - cid:{} - Slow Consumer Detected: WriteDeadline exceeded", remote(), id());
  close("Slow Consumer (Write Deadline)", session::Ending::discard);
}

void Connection::finish_close(std::string_view reason, session::Ending ending) {
  BASE_ASSERT(life_ == Life::open);
  if (session_ != nullptr) {
    session_->on_closed(reason);
    set_session(nullptr);
    session_.reset();
  }
  drop_timers();
  rest_.clear();
  life_ = Life::closing;
  loop_.open_count_.fetch_sub(1, std::memory_order_relaxed);
  if (ending == session::Ending::discard) {
    drop_pending();
    retire();
  } else if (outbox_.empty()) {
    start_draining();
  }
}

// Closing a socket with unread input resets it, and the peer may never see our last words.
void Connection::start_draining() {
  life_ = Life::draining;
  socket_.end_writing();
  write_timer_ = loop_.start_timer(drain_time, [this] {
    write_timer_ = base::TimerId::none;
    retire();
  });
  discard_input();
}

void Connection::discard_input() {
  const std::span<char> buffer = loop_.read_buffer();
  while (discarded_ < drain_bytes) {
    const ssize_t result = socket_.read(buffer);
    if (result < 0 && errno == EAGAIN) return;
    if (result <= 0) break;
    discarded_ += static_cast<std::size_t>(result);
  }
  retire();
}

void Connection::drop() {
  drop_pending();
  retire();
}

void Connection::retire() {
  if (life_ == Life::retired) return;
  life_ = Life::retired;
  if (write_timer_ != base::TimerId::none) loop_.cancel_timer(write_timer_);
  write_timer_ = base::TimerId::none;
  loop_.retire(*this);
}

base::TimerId Connection::arm(base::Duration after) {
  // The id is known only after the start, and needed in the task: by then it is in the list.
  auto slot = std::make_shared<base::TimerId>();
  *slot = loop_.start_timer(after, [this, slot] {
    std::erase(timers_, *slot);
    if (session_ != nullptr && !closing()) session_->on_timer(*slot);
  });
  timers_.push_back(*slot);
  return *slot;
}

void Connection::disarm(base::TimerId timer) {
  if (std::erase(timers_, timer) != 0) loop_.cancel_timer(timer);
}

void Connection::drop_timers() {
  for (const base::TimerId timer : timers_) loop_.cancel_timer(timer);
  timers_.clear();
}

}  // namespace spanwire::net
