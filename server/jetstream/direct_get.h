// Reads messages of a stream for those who ask: `$JS.API.DIRECT.GET.<stream>[.<subject>]`, and
// STREAM.MSG.GET. Several questions are worked on at once, each in slices; the messages of one
// answer come in order.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/counter.h"
#include "base/done.h"
#include "base/lifeline.h"
#include "jetstream/api_error.h"
#include "jetstream/branch.h"
#include "store/log.h"

namespace spanwire::jetstream {

class Stream;

// The body of STREAM.MSG.GET and DIRECT.GET.
struct MessageRequest {
  store::Sequence seq = 0;
  std::string last_by_subject;
  std::string next_by_subject;
  std::int64_t batch = 0;
  std::int64_t max_bytes = 0;
  std::optional<base::WallTime> start_time;
  std::vector<std::string> multi_last;
  store::Sequence up_to_seq = 0;
  std::optional<base::WallTime> up_to_time;
  bool no_headers = false;
};

// What is wrong with the body; with `strict`, an unknown field is an error.
std::optional<ApiError> parse_message_request(std::string_view body, bool strict,
                                              MessageRequest& out);

// Questions that wait; more are dropped and counted.
inline constexpr std::size_t max_waiting_gets = 10'000;
// The last messages of so many subjects are given at once.
inline constexpr std::size_t max_multi_last = 1024;

// Lives with its stream, on its home loop.
class DirectGet final : public Listener, public Served {
 public:
  explicit DirectGet(Stream& stream);
  ~DirectGet();
  DirectGet(const DirectGet&) = delete;
  DirectGet& operator=(const DirectGet&) = delete;

  // Listens if the stream's configuration has it so; again when that has changed.
  void listen();
  // Ends listening, and what is being worked on.
  void stop();

  // No more questions are taken.
  bool full() const { return waiting_ >= max_waiting_gets; }
  // One message, for STREAM.MSG.GET: null if there is none. `done` may be called inside.
  using Done = base::Done<const store::Message*>;
  void get(MessageRequest request, Done done);

  std::uint64_t dropped() const { return dropped_.get(); }

  void on_heard(const bus::MessageView& message) override;
  bool serve() override;

 private:
  struct Job;
  // How a step ended: the job is over, goes on at once, in another slice, or when its message has
  // been fetched.
  enum class Step : std::uint8_t { done, again, later, fetch };

  void end_listening();
  bool add(std::unique_ptr<Job> job);
  std::string_view read_request(const bus::MessageView& message, MessageRequest& request) const;
  std::string_view key_of(std::string_view subject) const;
  std::unique_ptr<store::Selection> select(const std::vector<std::string>& texts) const;

  Step run(Job& job);
  void begin(Job& job);
  bool find_one(Job& job) const;
  void begin_multi(Job& job);
  void begin_count(Job& job) const;
  Step count(Job& job);
  Step find(Job& job);
  Step find_last(Job& job);
  Step walk(Job& job);
  Step search(Job& job);
  Step begin_found(Job& job);
  Step read(Job& job);
  Step advance(Job& job, std::size_t bytes);
  Step miss(Job& job);
  Step finish(Job& job);
  void deliver(Job& job, const store::Message& message);
  void say(std::string_view to, std::string_view status, std::string_view headers = {});

  Stream& stream_;
  std::vector<base::SubId> subs_;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::size_t waiting_ = 0;  // those that wait for a fetch included
  std::vector<std::pair<std::string, std::string_view>> refusals_;  // to whom, which status
  base::Counter dropped_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::jetstream
