// A feed by a pull consumer: credit becomes requests for messages, and whatever happens to the
// consumer or the way to it is noticed by its silence.
//
// An ordered feed (not durable) has a consumer of its own, which it makes again behind the last
// message when it is lost, or when a delivery is. Of a durable feed's consumer it asks whether it
// is still there, and then asks for messages again, under another inbox: what comes to the former
// one is not taken, and the consumer delivers it again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/lifeline.h"
#include "streams/api.h"
#include "streams/feed.h"

namespace spanwire::streams {

class ApiFeed final : public Feed {
 public:
  // `refusal`: why it cannot begin; empty: it can.
  ApiFeed(Api& api, std::string stream, FeedSpec spec, Reader& reader, std::string refusal);
  ~ApiFeed();
  ApiFeed(const ApiFeed&) = delete;
  ApiFeed& operator=(const ApiFeed&) = delete;

  void grant(std::size_t messages) override;
  void settle(const AckToken& token, Verdict verdict, base::Duration delay) override;
  void settle(const AckToken& token, base::Done<std::optional<Failure>> done) override;

  void on_inbox(const bus::MessageView& message);

 private:
  enum class State : std::uint8_t {
    attaching,  // the consumer is being made
    running,
    asking,   // whether the consumer is still there
    resting,  // before it does `next_`
    ended,
  };
  enum class Next : std::uint8_t { attach, ask, renew, pull };

  bool ordered() const { return spec_.durable.empty(); }
  void refuse(std::string text);
  void attach();
  void on_attached(const Result<ConsumerAnswer>& answer);
  void ask();
  void on_told(const Result<ConsumerAnswer>& answer);
  void look_for_end();
  void suspect();
  void make_again();
  void renew();
  void rest(Next next);
  void go_on();

  void pull();
  void on_status(const PullStatus& status);
  void on_heartbeat(const PullStatus& status);
  void on_pull_over(const PullStatus& status);
  void deliver(const AckSubject& ack, const bus::MessageView& message);
  bool in_order(const AckSubject& ack);
  void note_unsettled(const AckToken& token);
  void check_caught_up(bool nothing_pending);

  void open_inbox();
  void close_inbox();
  void watch();
  void end(Failure why);
  void delete_consumer();

  Api& api_;
  const std::string stream_;
  const FeedSpec spec_;
  Reader& reader_;
  State state_ = State::attaching;
  Next next_ = Next::pull;
  std::string consumer_;
  std::string inbox_;       // its token; empty: none
  std::string ack_prefix_;  // of the consumer's deliveries
  bool attached_ = false;   // at least once

  std::size_t credit_ = 0;  // granted, and not asked for
  std::size_t asked_ = 0;   // asked for, and not delivered
  std::size_t max_batch_;   // of one request
  std::uint64_t pulls_ = 0;

  Sequence last_ = 0;                // delivered, or passed by From::new_messages
  std::uint64_t last_delivery_ = 0;  // of an ordered one
  std::uint64_t first_tries_ = 0;    // delivered since it was attached
  std::uint64_t pending_ = 0;        // at that time
  bool caught_up_ = false;
  std::map<Sequence, AckToken> unsettled_;  // of a durable one; the first go at its limit

  base::Time heard_{};   // last
  base::Time pulled_{};  // last
  base::Duration rest_{};
  base::TimerId timer_ = base::TimerId::none;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::streams
