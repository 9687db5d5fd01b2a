// A consumer of a stream: which message is next, who gets it, and what becomes of it until it is
// acknowledged. Lives with its stream, on its home loop.
#pragma once

#include <absl/functional/function_ref.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/done.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "bus/watches.h"
#include "jetstream/ack.h"
#include "jetstream/ack_subject.h"
#include "jetstream/consumer_config.h"
#include "jetstream/consumer_notes.h"
#include "jetstream/flow_window.h"
#include "jetstream/pull_queue.h"
#include "jetstream/pull_request.h"
#include "jetstream/taker.h"
#include "jetstream/unacknowledged.h"
#include "store/log.h"

namespace spanwire::jetstream {

class Advisory;
class Stream;

// How a message leaves its stream: by itself (a limit, its age, a request to delete it), which
// consumers report that still wait for its acknowledgement, or with others, in a purge or rollup.
enum class Leaving : std::uint8_t { singly, purged };

// A pair of numbers: of the consumer's deliveries, and of the stream.
struct SequencePair {
  std::uint64_t consumer = 0;
  Sequence stream = 0;
  std::optional<base::WallTime> last_active;
};

class Consumer {
 public:
  // `config` was checked and has its defaults; `id` names it in the stream's notes. The name may
  // have been drawn, then the configuration has none.
  Consumer(Stream& stream, std::uint32_t id, std::string name, ConsumerConfig config,
           base::WallTime created);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  std::uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }
  const ConsumerConfig& config() const { return config_; }
  base::WallTime created() const { return created_; }

  // A new one finds its first message, which may take some turns (placed()); one that was recovered
  // knows it.
  void begin();
  bool placed() const { return !placing_; }
  // Begins to serve.
  void start();
  // Serves nobody any more; those who wait hear why: it was deleted, or the server stops.
  void stop(bool deleted);
  void update(ConsumerConfig config);
  // Starts again from `from`, or behind the ack floor where that is 0. Nothing: it may not, in the
  // words of the error.
  std::optional<Sequence> reset(Sequence from, std::string_view& error);

  // What happens in the stream.
  // So many that its filters match have come, of these sequences.
  void on_new(Sequence first, Sequence last, std::uint64_t messages);
  void on_erased(Sequence sequence, Leaving leaving);
  void on_erased_below(Sequence first, Leaving leaving);
  // The stream begins here now, and what left it was told one by one.
  void raise_to(Sequence first);
  // Whether it is still to get or to acknowledge a message that its filters match.
  bool needs(Sequence sequence) const;

  // What its clients say. Inside on_heard(): answers follow in serve().
  void pull(std::string_view reply, std::string_view body);
  void acknowledge(const Delivery& delivery, std::string_view reply, std::string_view body);
  void on_flow_reply(std::string_view subject);
  // As acknowledge(), without an answer. False: that message was not delivered.
  bool take_word(const Delivery& delivery, const Ack& ack);

  // Of a pull consumer: `taker` gets as many messages as it is granted. While it is attached the
  // consumer is in use.
  void attach(Taker& taker);
  void detach(Taker& taker);
  void grant(Taker& taker, std::uint64_t messages);
  // Everything up to this message has been delivered.
  bool is_past(Sequence sequence) const { return next_ > sequence || pending() == 0; }

  // Delivers what it can, at most a slice. True: there is more to do now.
  bool serve();

  // As CONSUMER.INFO shows it.
  SequencePair delivered() const;
  SequencePair ack_floor() const { return ack_floor_; }
  // What its filters match and it has not delivered. Known when it was counted; before that it is
  // more than none.
  std::uint64_t pending() const {
    return counted() ? pending_ : std::max<std::uint64_t>(pending_, 1);
  }
  bool counted() const { return placed() && uncounted_to_ == 0; }
  // Calls `told` when it is placed and counted, before it delivers anything more. False: it is
  // gone, or starts again elsewhere.
  void when_counted(base::Done<bool> told);
  std::size_t unacknowledged() const { return unacknowledged_.size(); }
  std::size_t redelivered() const;
  std::size_t waiting();
  bool push_bound();
  bool paused() const;

  // Notes (consumer_notes.h): what the log is told, and what recovery tells back.
  std::string full_note() const;
  // Reads what stands behind the configuration in a full note. False: it is damaged.
  bool restore(NoteReader& note);
  // Whether what it has read can be of a stream whose last message is this one.
  bool fits(Sequence last) const;
  void replay(const Delivered& delivered);
  void replay(const Settled& settled);
  // What was gathered for the log: written, or dropped for a full note that says it too.
  void write_notes();
  void drop_notes() { notes_.drop(); }

 private:
  friend class Stream;

  // What is to be delivered next.
  struct Next {
    enum class Kind : std::uint8_t { message, none, blocked, more };
    Kind kind = Kind::none;
    Sequence sequence = 0;
    std::uint64_t deliveries = 1;
  };

  // Choosing: consumer_delivery.cc.
  Next next_message();
  Next next_redelivery();
  Next next_of_stream();
  // How a step ended: `again` if there may be another one.
  enum class Step : std::uint8_t { again, wait, more };
  Step deliver_one();
  Step deliver(const Next& next, const store::Message& message);
  bool hand_over(const Delivery& delivery, std::string_view ack, const store::Message& message,
                 std::size_t bytes);
  bool publish_to(std::string_view subject, std::string_view ack, const store::Message& message);
  void pass_over(const Next& next);
  const PullWaiting* choose_request(std::size_t bytes);
  void served_request(std::size_t bytes);
  std::string_view headers_with_size(const store::Message& message);
  bool counts(const Next& next) const;
  void took(const Next& next, bool was_pending);
  void track(const Next& next);
  bool may_deliver();
  bool hold_back(const Next& next, const store::Message& message, std::size_t bytes);
  void wake_after(base::Duration delay);
  void fetch(Sequence sequence);

  // Requests: consumer_pull.cc.
  // Why a request is not taken.
  struct Refusal {
    std::string status;
    bool told = true;
  };
  std::optional<Refusal> refusal_of(const PullRequest& request);
  bool keep_request(PullWaiting& request, bool at_end);
  // Ends the requests that have expired or whose askers are gone, and, at the end of the stream,
  // those that do not wait.
  void settle_requests(bool at_end);
  void say_status(std::string_view to, std::string_view status);
  void say_status(const PullWaiting& request, std::string_view status);
  void arm_requests();

  // Acknowledgements: consumer_acks.cc.
  bool settle(Sequence sequence, std::uint64_t delivery);
  void settle_through(Sequence sequence, std::uint64_t delivery);
  void move_floor(std::uint64_t delivery, Sequence sequence);
  void refuse(const Delivery& delivery, const Ack& ack);
  void give_up(Sequence sequence);
  bool take_ack(const Delivery& delivery);
  void queue_due();
  void arm_due();
  bool exhausted(Sequence sequence) const;
  void sample(const Delivery& delivery);
  base::Duration ack_wait_of(Sequence sequence) const;
  base::WallTime due_of(Sequence sequence) const;
  void note_delivered(Sequence sequence, std::uint64_t delivery, std::uint64_t deliveries);
  void note_settled(Sequence sequence, std::uint64_t delivery);
  bool keeps_notes() const;

  // Push: consumer_push.cc.
  bool check_interest();
  void arm_heartbeat();
  void wait_for_silence(base::Duration delay);
  void say_heartbeat(std::string_view to);
  void ask_for_flow();
  bool await_listener();
  void on_listener();
  void forget_listeners();
  void arm_inactivity();
  void note_use();
  void check_inactivity();
  void arm_pause();

  // What comes before deliveries, in slices; false: there is more of it.
  bool prepare();
  bool place();
  bool place_at_last();
  bool place_at_last_per_subject();
  bool count_pending();
  void count_again();
  void drop_skips_below(Sequence first);
  void drop_skip(Sequence sequence);
  void end_skips();
  void tell_counted(bool there);

  void configure();
  void mark();
  void speak();
  base::WallTime now() const;
  void say_event(std::string_view kind, std::string_view type,
                 absl::FunctionRef<void(Advisory&)> fill);
  void say_gone(Sequence sequence, std::uint64_t delivery);
  void say_about(const Delivery& delivery, std::string_view kind, std::string_view type,
                 std::string_view reason);

  Stream& stream_;
  const std::uint32_t id_;
  ConsumerConfig config_;
  mutable std::string config_json_;  // for notes, made by the first
  std::string name_;
  base::WallTime created_;
  AckSubject ack_subject_;
  std::unique_ptr<store::Selection> selection_;

  Sequence next_ = 1;  // of the stream, to be looked at
  std::uint64_t next_delivery_ = 1;
  std::uint64_t pending_ = 0;  // selected from next_ on
  Sequence uncounted_to_ = 0;  // up to here they are still to be counted; 0: they all were
  std::vector<base::Done<bool>> when_counted_;
  // While its first message is searched for.
  struct Placing {
    Sequence at = 0;      // the search goes on here
    Sequence behind = 0;  // what was there at first ends before
  };
  std::optional<Placing> placing_;
  SequencePair ack_floor_;
  std::optional<base::WallTime> last_delivery_;
  std::vector<Sequence> skip_list_;  // last per subject: these come first, in order
  std::size_t next_skip_ = 0;
  Sequence resume_ = 0;        // behind the skip list
  Sequence replay_until_ = 0;  // replay original: up to here at the pace of the publishers
  std::optional<base::WallTime> replayed_;  // the last message's time
  base::WallTime replayed_at_{};

  UnacknowledgedSet unacknowledged_;
  NoteGatherer notes_;
  PullQueue requests_;
  std::vector<Taker*> takers_;
  // What was said where nothing may be published: for serve().
  struct Said {
    std::string to;
    std::string headers;
    std::string payload;
  };
  std::vector<Said> said_;
  std::size_t events_ = 0;                // of these, advisories and metrics
  std::vector<std::string> ack_answers_;  // sent when the acknowledgement is committed
  FlowWindow flow_;
  RateLimit rate_;
  base::WallTime last_request_{};
  std::optional<base::WallTime> deserted_at_;  // push: since when nobody listens
  base::Time spoke_at_{};                      // push: when something was delivered last

  bool started_ = false;
  bool active_ = false;     // push: somebody listens
  bool marked_ = false;     // the stream's: serve() comes
  store::Ticket made_ = 0;  // the stream's: the commit that it was made with
  bool fetching_ = false;
  base::TimerId wake_timer_ = base::TimerId::none;
  base::TimerId due_timer_ = base::TimerId::none;
  base::WallTime due_timer_at_{};
  base::TimerId request_timer_ = base::TimerId::none;
  base::TimerId heartbeat_timer_ = base::TimerId::none;
  bus::WatchId watch_ = bus::WatchId::none;  // push: set while nobody listens
  base::TimerId unwatched_timer_ = base::TimerId::none;
  base::TimerId inactivity_timer_ = base::TimerId::none;
  base::TimerId pause_timer_ = base::TimerId::none;
  std::string headers_;  // scratch
  base::Lifeline lifeline_;
};

}  // namespace spanwire::jetstream
