#include "jetstream/local_feed.h"

#include <utility>

#include "jetstream/local_terms.h"
#include "jetstream/reply.h"

namespace spanwire::jetstream {

LocalFeed::LocalFeed(wire::Services& services, Node& node, Tenant& tenant, base::LoopId home,
                     std::string stream, streams::FeedSpec spec, streams::Reader& reader)
    : services_(services), home_(home), reader_(reader) {
  auto take_here = [this, alive = lifeline_.watch(), loop = services.loop().id()](
                       wire::Services& there, Feeding feeding) {
    there.post(loop, [this, alive, feeding = std::move(feeding)] {
      if (!alive.expired()) take(feeding);
    });
  };
  source_ = std::make_shared<FeedSource>(node, tenant, std::move(stream), std::move(spec),
                                         std::move(take_here));
}

LocalFeed::~LocalFeed() {
  if (begun_) services_.post(home_, [source = std::move(source_)] { source->end(); });
}

void LocalFeed::begin() {
  begun_ = true;
  services_.post(home_, [source = source_] { source->begin(); });
  take_credit();
}

void LocalFeed::grant(std::size_t messages) {
  if (source_->add_credit(messages) && begun_) take_credit();
}

void LocalFeed::take_credit() {
  services_.post(home_, [source = source_] { source->take_credit(); });
}

void LocalFeed::settle(const streams::AckToken& token, streams::Verdict verdict,
                       base::Duration delay) {
  services_.post(home_, [source = source_, token, ack = ack_of(verdict, delay)] {
    source->settle(token, ack);
  });
}

void LocalFeed::settle(const streams::AckToken& token,
                       base::Done<std::optional<streams::Failure>> done) {
  Reply<std::optional<streams::Failure>> reply(services_.loop().id(),
                                               lifeline_.bind(std::move(done)));
  services_.post(home_, [source = source_, token, reply = std::move(reply)]() mutable {
    source->settle(token, std::move(reply));
  });
}

void LocalFeed::take(const Feeding& feeding) {
  for (const Feeding::Fed& fed : feeding.messages) {
    reader_.on_delivery({.message = fed.message->view(),
                         .time = fed.time,
                         .token = fed.token,
                         .pending = fed.pending});
  }
  if (feeding.caught_up) reader_.on_caught_up();
  if (feeding.ended) reader_.on_ended(*feeding.ended);
}

}  // namespace spanwire::jetstream
