#include "net/loop_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/assert.h"
#include "net/connection.h"

namespace spanwire::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int max_events = 512;
// Writing is cut after this, so that the inbox and timers get their turn.
constexpr base::Duration flush_time = milliseconds(1);
constexpr std::size_t timers_a_turn = 1000;

nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

base::Time steady_now() {
  return base::Time(read_clock(CLOCK_MONOTONIC));
}

}  // namespace

void sleep_for(base::Duration time) {
  const timespec moment{0, static_cast<long>(nanoseconds(time).count())};
  ::nanosleep(&moment, nullptr);
}

LoopThread::LoopThread(base::LoopId id, bus::Hub& hub, session::Ledger& ledger,
                       LoopSettings settings, std::uint64_t seed)
    : id_(id),
      hub_(hub),
      settings_(std::move(settings)),
      now_(steady_now()),
      wall_now_(read_clock(CLOCK_REALTIME)),
      timers_(now_),
      router_(hub, *this, settings_.router, seed),
      turn_(router_, ledger),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      read_buffer_(std::make_unique_for_overwrite<char[]>(read_buffer_bytes)) {
  BASE_ASSERT(epoll_ && wake_);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;  // a wake-up; connections have their address there
  BASE_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
  hub_.exchange.set_wake(id_, [fd = wake_.get()] { ::eventfd_write(fd, 1); });
}

LoopThread::~LoopThread() {
  BASE_ASSERT(!thread_.joinable());
}

void LoopThread::start() {
  thread_ = std::thread([this] { run(); });
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void LoopThread::run() {
  // The kernel would make a sleep of microseconds fifty longer.
  if (settings_.coalesce > base::Duration::zero()) ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  while (!stopping_.load(std::memory_order_relaxed)) take_turn(true);
}

void LoopThread::take_turn(bool may_rest) {
  wait_for_events(may_rest);
  turn_.drain();
  run_posted();
  unfinished_ = timers_.advance(now_, timers_a_turn);
  read_timed();
  const base::Time start = steady_now();
  if (!turn_.finish([start] { return steady_now() - start > flush_time; })) unfinished_ = true;
  retired_.clear();
}

// How long nothing needs to be done here, in milliseconds; -1: until something comes.
int LoopThread::wait_ms() {
  if (unfinished_ || !router_.idle()) return 0;
  if (reading_ && !ready_.empty() && turn_.may_read()) return 0;
  const auto due = timers_.next_due();
  if (!due) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*due - steady_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void LoopThread::wait_for_events(bool may_rest) {
  const int rest_ms = wait_ms();
  int timeout = may_rest ? rest_ms : 0;
  if (timeout != 0 && !hub_.exchange.fall_asleep(id_)) timeout = 0;
  const std::size_t events = poll(timeout);
  if (timeout != 0) hub_.exchange.wake_up(id_);
  // Where every message comes in a write of its own, each turn would read one and write one. What
  // comes within a moment is read and leaves together.
  if (events != 0 && rest_ms != 0 && settings_.coalesce > base::Duration::zero()) {
    settings_.wait(settings_.coalesce);
    poll(0);
  }
}

// Returns the number of events.
std::size_t LoopThread::poll(int timeout_ms) {
  std::array<epoll_event, max_events> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), max_events, timeout_ms);
  read_clocks();
  if (count <= 0) return 0;
  for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
    take_event(event);
  }
  return static_cast<std::size_t>(count);
}

void LoopThread::take_event(const epoll_event& event) {
  // A wake-up has done its work. Nothing is read there: each write is an edge of its own.
  if (event.data.ptr == nullptr) return;
  static_cast<Connection*>(event.data.ptr)->on_events(event.events);
}

void LoopThread::read_clocks() {
  now_ = steady_now();
  wall_now_ = base::WallTime(read_clock(CLOCK_REALTIME));
}

void LoopThread::run_posted() {
  std::vector<base::Task> tasks;
  {
    const base::MutexLock lock(mutex_);
    tasks.swap(posted_);
  }
  for (base::Task& task : tasks) task();
}

base::Time LoopThread::exact_now() const {
  return steady_now();
}

void LoopThread::read_timed() {
  if (ready_.empty()) return;
  const base::Time start = steady_now();
  read_ready();
  turn_.note_read(steady_now() - start);
}

void LoopThread::read_ready() {
  if (!reading_ || ready_.empty()) return;
  reading_now_.swap(ready_);
  for (Connection* connection : reading_now_) connection->in_ready_list_ = false;
  for (Connection* connection : reading_now_) {
    // What has more to read goes behind the others, into the next turn.
    if (!turn_.may_read() || connection->read_some()) make_ready(*connection);
  }
  reading_now_.clear();
}

void LoopThread::make_ready(Connection& connection) {
  if (connection.in_ready_list_ || connection.life_ != Connection::Life::open) return;
  connection.in_ready_list_ = true;
  connection.ready_index_ = ready_.size();
  ready_.push_back(&connection);
}

void LoopThread::adopt(Accepted accepted) {
  open_count_.fetch_add(1, std::memory_order_relaxed);
  socket_count_.fetch_add(1, std::memory_order_relaxed);
  post([this, accepted = std::move(accepted)]() mutable { open_connection(std::move(accepted)); });
}

void LoopThread::open_connection(Accepted accepted) {
  counts_.accepted.add();
  const std::size_t listener = accepted.listener;
  const int fd = accepted.socket.get();
  auto made = std::make_unique<Connection>(*this, std::move(accepted));
  Connection& connection = *made;
  connection.index_ = connections_.size();
  connections_.push_back(std::move(made));
  connection.attach(open_(connection, listener));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &connection;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    connection.close("Too Many Watches", session::Ending::discard);
  }
  if (!reading_) connection.close("Server Shutdown");
}

void LoopThread::leave_ready(Connection& connection) {
  connection.in_ready_list_ = false;
  ready_[connection.ready_index_] = ready_.back();
  ready_[connection.ready_index_]->ready_index_ = connection.ready_index_;
  ready_.pop_back();
}

// The connection may be in the middle of one of its own functions: it is destroyed after the turn.
void LoopThread::retire(Connection& connection) {
  if (connection.in_ready_list_) leave_ready(connection);
  counts_.closed.add();
  socket_count_.fetch_sub(1, std::memory_order_relaxed);
  connections_.back()->index_ = connection.index_;
  std::swap(connections_[connection.index_], connections_.back());
  retired_.push_back(std::move(connections_.back()));
  connections_.pop_back();
}

void LoopThread::stop_reading() {
  reading_ = false;
  for (auto& connection : connections_) {
    if (connection->session_ != nullptr && !connection->closing()) {
      connection->session_->on_shutdown();
    }
  }
}

void LoopThread::close_all(std::string_view reason) {
  for (auto& connection : connections_) connection->close(reason);
}

void LoopThread::drop_ended() {
  // From the end: a dropped one's place is taken by the last.
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (connections_[i]->life_ != Connection::Life::open) connections_[i]->drop();
  }
}

base::TimerId LoopThread::start_timer(base::Duration after, base::Task task) {
  return timers_.start(now_, after, std::move(task));
}

void LoopThread::cancel_timer(base::TimerId id) {
  timers_.cancel(id);
}

void LoopThread::post(base::Task task) {
  {
    const base::MutexLock lock(mutex_);
    posted_.push_back(std::move(task));
    if (posted_.size() > 1) return;  // woken by the first
  }
  ::eventfd_write(wake_.get(), 1);
}

}  // namespace spanwire::net
