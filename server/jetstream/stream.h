// A stream: captures the messages of its subjects, keeps them within its limits, and feeds its
// consumers. A state machine on its home loop.
//
// A captured message is checked against what was said before it, committed or not, and appended; it
// becomes visible, is acknowledged, republished and delivered when it is committed.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counter.h"
#include "base/lifeline.h"
#include "jetstream/api_error.h"
#include "jetstream/archive.h"
#include "jetstream/branch.h"
#include "jetstream/consumer_notes.h"
#include "jetstream/deadlines.h"
#include "jetstream/duplicates.h"
#include "jetstream/publish_headers.h"
#include "jetstream/stream_config.h"
#include "store/log.h"
#include "subject/index.h"
#include "subject/transform.h"

namespace spanwire::jetstream {

class Consumer;
enum class Leaving : std::uint8_t;
struct ConsumerConfig;

using store::Sequence;

class Stream final : public store::Log::Owner, public Listener, public Served {
 public:
  // `config` was checked.
  Stream(Branch& branch, StreamConfig config, base::WallTime created);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Its log, made or recovered with this stream as the owner. Begins to listen.
  void start(std::unique_ptr<store::Log> log);
  // Filling one from a backup, instead of start(): what stands in the backup, in its order; each is
  // committed with after_commit(). Nobody sees any of it before open_filled().
  void begin_filling(std::unique_ptr<store::Log> log);
  std::optional<ApiError> fill_message(const store::Message& message);
  std::optional<ApiError> fill_consumer(std::string_view note);
  void fill_id(const ArchivedId& id);
  std::optional<ApiError> end_filling(const ArchivedEnd& end);
  void open_filled(base::WallTime created);
  // Ends listening, deliveries and timers. If `deleted`, consumers tell whom they serve that they
  // are gone, and who waits for a commit hears that there is none. The log may still be closed, or
  // taken away; then nothing may be called any more.
  void stop(bool deleted);
  std::unique_ptr<store::Log> take_log() { return std::move(log_); }

  const StreamConfig& config() const { return config_; }
  const Duplicates& duplicates() const { return duplicates_; }
  const std::string& last_msg_id() const { return last_msg_id_; }
  const std::string& name() const { return config_.name; }
  base::WallTime created() const { return created_; }
  store::Log& log() { return *log_; }
  const store::Log& log() const { return *log_; }
  Branch& branch() { return branch_; }
  // Takes over a configuration that was checked as an update of this one. What its limits do not
  // allow any more goes in slices: after_limits() is after_commit() behind that.
  void update(StreamConfig config);
  void after_limits(base::Task task);

  // Whether a message of this subject, which is a literal, would be taken in.
  bool captures(std::string_view subject) const;

  // Runs `task` when everything that was said so far is committed.
  void after_commit(base::Task task);
  // The same, for what promises something: false, if it could not be committed.
  void when_committed(base::Done<bool> task);

  // Administration; each shows in the log at once and is committed with after_commit().
  std::optional<ApiError> delete_message(Sequence sequence);
  // Purges in slices; `done` with how many are gone.
  struct PurgeRequest {
    std::string filter;  // empty: all
    Sequence up_to = 0;  // not this one; 0: to the end
    std::uint64_t keep = 0;
  };
  void purge(PurgeRequest request, base::Done<std::uint64_t> done);

  // Consumers. Configurations were checked against this stream's; what changes is committed with
  // after_commit().
  Consumer* find_consumer(std::string_view name) const;
  const std::map<std::string, std::unique_ptr<Consumer>, std::less<>>& consumers() const {
    return consumers_;
  }
  // With a drawn name if the configuration has none.
  Consumer& add_consumer(ConsumerConfig config);
  void update_consumer(Consumer& consumer, ConsumerConfig config);
  void delete_consumer(Consumer& consumer);
  // As Consumer::reset().
  std::optional<Sequence> reset_consumer(Consumer& consumer, Sequence from,
                                         std::string_view& error);
  // A new one knows its first message.
  void on_placed(Consumer& consumer);
  // Nobody uses it any more: deletes it, and says so.
  void end_inactive(Consumer& consumer);
  void advise_pause(const Consumer& consumer);
  // Has a consumer's work done at the end of the turn.
  void serve_later(Consumer& consumer);
  // A consumer needs this message no longer: gone, if nobody does (interest, work queue).
  void on_settled(Sequence sequence);
  // A consumer has begun to gather a note: it is asked for it before the next commit.
  void gathers(Consumer& consumer) { gathering_.push_back(&consumer); }
  // Notes of consumers were written or gathered: they are committed soon.
  void note_written(bool at_once);
  bool keeps_notes() const { return config_.storage == store::Storage::file; }

  // Since this stream was opened.
  struct Counts {
    base::Counter captured, duplicates, refused, expired, evicted;
    base::Counter events_left_out;  // of consumers who had too many to tell at once
  };
  const Counts& counts() const { return counts_; }
  void leave_out_event() { counts_.events_left_out.add(); }

  // Listener: a message of its subjects.
  void on_heard(const bus::MessageView& message) override;
  // Served.
  bool serve() override;

  // store::Log::Owner.
  void on_committed(store::Ticket ticket, const base::Status& status) override;
  void restore(std::string_view state) override;
  void replay_message(const store::Message& message) override;
  void replay_erased(Sequence sequence) override;
  void replay_note(std::uint32_t kind, std::string_view note) override;
  void repeat_notes() override;
  std::string state() const override;

 private:
  friend class Intake;

  // Whom a publisher's acknowledgement goes to: a reply subject, or a receipt of the bus.
  struct Publisher {
    std::string reply;
    bus::ReceiptId receipt = bus::ReceiptId::none;
    bool waits() const { return !reply.empty() || receipt != bus::ReceiptId::none; }
  };
  struct Waiting {
    store::Ticket ticket = 0;
    Sequence sequence = 0;
    Publisher publisher;
    bool duplicate = false;
    base::Time taken;  // when the turn began that took it
  };
  struct Republished {
    Sequence sequence = 0;
    std::string subject;
    std::string headers;
    std::string payload;
  };
  struct Refused {
    Publisher publisher;
    ApiError error;
    bool store_failed = false;
  };
  struct Task {
    store::Ticket ticket = 0;
    base::Done<bool> run;
  };
  struct Purge {
    PurgeRequest request;
    base::Done<std::uint64_t> done;
    std::unique_ptr<store::Selection> selection;  // none: everything up to a sequence goes at once
    Sequence from = 1;
    Sequence up_to = 0;  // with this one
    std::uint64_t left = 0;
    std::uint64_t purged = 0;
    Sequence uncounted_to = 0;  // some are kept: those up to here are still to be counted
    std::uint64_t counted = 0;
  };
  // What clients say to consumers, by the subject that they say it on.
  struct Acknowledgements final : Listener {
    explicit Acknowledgements(Stream& its) : stream(its) {}
    void on_heard(const bus::MessageView& message) override;
    Stream& stream;
  };
  struct Requests final : Listener {
    explicit Requests(Stream& its) : stream(its) {}
    void on_heard(const bus::MessageView& message) override;
    Stream& stream;
  };
  struct FlowReplies final : Listener {
    explicit FlowReplies(Stream& its) : stream(its) {}
    void on_heard(const bus::MessageView& message) override;
    Stream& stream;
  };

  void configure();
  void open();
  void listen();
  void listen_for_consumers();
  void end_listening();
  void end_waiting();
  Publisher publisher_of(const bus::MessageView& message);
  void wait_for_commit(Sequence sequence, Publisher publisher, bool duplicate);
  store::Ticket commit_all();
  void fall_back();
  void forget_consumer(Consumer& consumer);
  void acknowledge(const Waiting& waiting);
  std::string error_text(const ApiError& error) const;
  void refuse(const Publisher& publisher, const ApiError& error, bool store_failed);
  void refuse_later(Publisher publisher, const ApiError& error);
  void leave_publishers();
  void on_visible(Sequence first, Sequence last);
  void republish_later(Sequence sequence, const store::Appending& message, Sequence previous);
  void republish_through(Sequence last);
  void serve_consumers();
  void report_usage();
  bool store_is_full(std::size_t more) const;

  std::string draw_consumer_name();
  bool has_consumer_for(std::string_view subject) const;
  void index_consumer(Consumer& consumer);
  void unindex_consumer(Consumer& consumer);
  Consumer* find_consumer(std::uint32_t id) const;
  Consumer* recall_consumer(std::string_view note, bool check);
  void replay_delivered(DeliveredNote note);
  void replay_settled(SettledNote note);
  bool keeps(const Consumer& consumer) const;
  void note_all_of(Consumer& consumer);
  void write_notes();

  // Limits: retention.cc.
  bool erase_message(Sequence sequence, Leaving leaving);
  void erase_below(Sequence sequence);
  void erase_subject_below(std::string_view subject, Sequence sequence);
  void enforce_limits(std::string_view subject);
  void enforce_all_limits();
  bool continue_limits();
  bool trim_subjects();
  bool evict();
  void add_deadline(Sequence sequence, base::WallTime at);
  void arm_expiry();
  bool expire();
  bool expire_old();
  bool expire_singly(Sequence end);
  bool expire_due();
  void expire_one(const store::Message& message);
  void place_marker(std::string_view subject, Sequence expired);
  void begin_purge(PurgeRequest request, base::Done<std::uint64_t> done);
  bool continue_purge();
  bool count_for(Purge& purge);
  bool purge_through(Purge& purge);
  bool purge_selected(Purge& purge);
  bool is_wanted(Sequence sequence) const;
  void drop_unwanted();
  bool continue_sweep();

  Branch& branch_;
  StreamConfig config_;
  base::WallTime created_;
  std::unique_ptr<store::Log> log_;
  std::unique_ptr<store::Selection> everything_;  // of the log
  std::vector<base::SubId> subs_;                 // of its subjects
  std::vector<base::SubId> consumer_subs_;        // of what clients say to consumers
  Acknowledgements acknowledgements_{*this};
  Requests requests_{*this};
  FlowReplies flow_replies_{*this};
  std::string ack_prefix_;  // {"stream":"S","seq":
  std::optional<subject::Transform> transform_;
  std::optional<subject::Transform> republish_;
  std::deque<Republished> republishing_;  // when they are committed

  Duplicates duplicates_;
  Deadlines deadlines_;
  std::string last_msg_id_;

  store::Ticket last_ticket_ = 0;  // of the last commit
  store::Ticket committed_ = 0;
  store::Ticket kept_ = 0;  // the last that did not fail
  bool unsaid_ = false;     // the log was told something since the last commit
  Sequence visible_ = 0;    // messages up to here were told to consumers
  bool opened_ = false;
  std::deque<Waiting> waiting_;  // for a commit, in order
  std::deque<Task> tasks_;
  std::vector<Refused> refused_;  // told by serve()
  std::deque<std::unique_ptr<Purge>> purges_;
  Sequence erasing_through_ = 0;  // a rollup or limit that is carried out in slices
  Sequence sweep_from_ = 0;       // drop_unwanted() goes on here; 0: it is done
  bool limiting_ = false;         // there may be more than the limits allow
  Sequence trim_from_ = 0;        // of subjects: from here on; 0: not
  std::vector<base::Task> limited_;
  Sequence aged_below_ = 0;  // messages below were looked at for their age
  bool expiring_ = false;

  std::map<std::string, std::unique_ptr<Consumer>, std::less<>> consumers_;
  absl::flat_hash_map<std::uint32_t, Consumer*> by_id_;
  std::uint32_t last_consumer_ = 0;
  std::vector<Consumer*> unfiltered_;
  subject::Index<std::vector<Consumer*>> filters_;
  std::vector<Consumer*> ready_;
  std::vector<Consumer*> gathering_;  // may stand here twice
  base::TimerId expiry_timer_ = base::TimerId::none;
  base::TimerId note_timer_ = base::TimerId::none;
  std::uint64_t reported_bytes_ = 0;
  std::string scratch_;
  Counts counts_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::jetstream
