#include "app/loop_services.h"

#include <memory>

namespace spanwire::app {
namespace {

using Verdict = base::Result<base::Ref<const account::Principal>>;

// FNV-1a: the same home on every loop and in every run.
std::uint32_t stable_hash(base::AccountId account, std::string_view key) {
  std::uint32_t hash = 2166136261U ^ account;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

void LoopServices::authenticate(wire::Credentials credentials, base::Done<Verdict> done) {
  const base::LoopId here = router_.loop().id();
  if (!authenticator_.is_slow(credentials)) {
    router_.post(here, [verdict = authenticator_.check(credentials),
                        done = std::move(done)]() mutable { done(std::move(verdict)); });
    return;
  }
  struct Question {
    wire::Credentials credentials;
    Verdict verdict = base::fail("not checked");
    base::Done<Verdict> done;
  };
  auto question = std::make_shared<Question>();
  question->credentials = std::move(credentials);
  question->done = std::move(done);
  const bool taken =
      offload([question, this] { question->verdict = authenticator_.check(question->credentials); },
              [question] { question->done(std::move(question->verdict)); });
  if (taken) return;
  router_.post(here, [question] { question->done(base::fail("too many logins at once")); });
}

bus::OwnedPort LoopServices::open(base::Ref<const account::Principal> principal,
                                  bus::Receiver& receiver, base::Ref<bus::Gate> gate,
                                  bus::PortOptions options) {
  return router_.open(std::move(principal), receiver, std::move(gate), options);
}

std::unique_ptr<streams::Client> LoopServices::streams(base::AccountId account) {
  return open_streams_ ? open_streams_(*this, account) : nullptr;
}

base::LoopId LoopServices::home(base::AccountId account, std::string_view key) const {
  return static_cast<base::LoopId>(stable_hash(account, key) % loops());
}

// A task that runs on a loop comes after everything routed there in earlier turns was handed over,
// and its answer travels in a hand-over that comes after those of this turn.
void LoopServices::fence(base::Done<> done) {
  struct Count {
    std::size_t left;
    base::Done<> done;
  };
  auto count = std::make_shared<Count>(Count{loops(), std::move(done)});
  const base::LoopId here = router_.loop().id();
  bus::Hub* hub = &router_.hub();
  for (std::size_t i = 0; i < loops(); ++i) {
    const auto there = static_cast<base::LoopId>(i);
    // The state moves along, so that it is given up where `done` belongs.
    router_.post(there, [hub, there, here, count]() mutable {
      hub->router(there).post(here, [count = std::move(count)] {
        if (--count->left == 0) count->done();
      });
    });
  }
}

bool LoopServices::offload(base::Task work, base::Done<> done) {
  return helpers_.run(std::move(work), router_.loop(), std::move(done));
}

}  // namespace spanwire::app
