// A feed of the embedded store, on the loop of whoever is fed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/lifeline.h"
#include "jetstream/feed_source.h"
#include "streams/feed.h"
#include "wire/services.h"

namespace spanwire::jetstream {

class LocalFeed final : public streams::Feed {
 public:
  // `node`: of the home of the stream.
  LocalFeed(wire::Services& services, Node& node, Tenant& tenant, base::LoopId home,
            std::string stream, streams::FeedSpec spec, streams::Reader& reader);
  ~LocalFeed();
  LocalFeed(const LocalFeed&) = delete;
  LocalFeed& operator=(const LocalFeed&) = delete;

  // What begins it, when its turn has come: does nothing if it is gone by then.
  base::Task starter() {
    return lifeline_.bind([this] { begin(); });
  }

  void grant(std::size_t messages) override;
  void settle(const streams::AckToken& token, streams::Verdict verdict,
              base::Duration delay) override;
  void settle(const streams::AckToken& token,
              base::Done<std::optional<streams::Failure>> done) override;

 private:
  void begin();
  void take_credit();
  void take(const Feeding& feeding);

  wire::Services& services_;
  const base::LoopId home_;
  streams::Reader& reader_;
  std::shared_ptr<FeedSource> source_;
  bool begun_ = false;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::jetstream
