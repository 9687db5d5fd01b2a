// The promises of order and delivery with real threads: three loops that publish, subscribe and
// leave at the same time. Bounded in count; for the thread sanitizer as much as for its checks.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/loop_services.h"
#include "tests/support/line_session.h"
#include "tests/support/threaded_stage.h"

using namespace spanwire;
using test::principal_of;
using test::ThreadedStage;

namespace {

constexpr std::size_t loops = 3;
// Messages of each publisher.
constexpr std::uint64_t published = 3000;
// A loop that has waited for the others in so many turns waits in vain.
constexpr int most_waiting_turns = 3'000'000;

subject::Filter filter_of(std::string_view text) {
  return *subject::parse_nats_filter(text);
}

// What went wrong on any thread; for the main one to check when they have ended.
class Complaints {
 public:
  void expect(bool good, const char* text) {
    if (good) return;
    const std::lock_guard lock(mutex_);
    ++all_[text];
  }
  // Each with how often it was made.
  std::string text() const {
    std::string text;
    for (const auto& one : all_) text += one.first + ": " + std::to_string(one.second) + "; ";
    return text;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> all_;
};

// The bytes of a message tell its number.
char letter_of(std::uint64_t number) {
  return static_cast<char>('a' + number % 26);
}

// Publishes numbered messages of 0 to 50 and of 10,000 bytes, unless there is pressure.
class Publisher final : public bus::Receiver {
 public:
  Publisher(bus::Router& router, std::string subject)
      : subject_(std::move(subject)), port_(router.open(principal_of(), *this, nullptr)) {}

  void publish() {
    if (paused_ || done()) return;
    const std::uint64_t number = port_->last_number() + 1;
    payload_.assign(number % 37 == 0 ? 10'000 : number % 50, letter_of(number));
    bus::MessageView message;
    message.route = message.subject = subject_;
    message.payload = payload_;
    paused_ = port_->route(*port_->admit(message)).pressure;
    routed_.store(number, std::memory_order_release);
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView&) override {
    return bus::Taken::none;
  }
  void on_relief() override { paused_ = false; }

  base::PortId id() const { return port_->id(); }
  bool done() const { return port_->last_number() == published; }
  // How many messages it has published. Any thread.
  std::uint64_t routed() const { return routed_.load(std::memory_order_acquire); }

 private:
  std::string subject_;
  bus::OwnedPort port_;
  std::string payload_;
  bool paused_ = false;
  std::atomic<std::uint64_t> routed_{0};
};

// Answers each message with one of its number, from inside on_message.
class Answerer final : public bus::Receiver {
 public:
  Answerer(bus::Router& router, std::string_view cause, std::string effect)
      : effect_(std::move(effect)), port_(router.open(principal_of(), *this, nullptr)) {
    port_->subscribe(filter_of(cause), {});
  }
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& cause) override {
    const std::string number = std::to_string(cause.origin.number);
    bus::MessageView message;
    message.route = message.subject = effect_;
    message.payload = number;
    port_->route(*port_->admit(message));
    return bus::Taken::all;
  }
  void on_relief() override {}

 private:
  std::string effect_;
  bus::OwnedPort port_;
};

// Hears what is published to all (`t.…`), and the effects (`e.…`) of one publisher's messages.
class Listener final : public bus::Receiver {
 public:
  Listener(bus::Router& router, Complaints& complaints)
      : complaints_(complaints), port_(router.open(principal_of(), *this, nullptr)) {}

  // The causes of all effects are this publisher's.
  void set_cause(base::PortId cause) { cause_ = cause; }
  void subscribe() {
    last_.clear();
    subs_ = {*port_->subscribe(filter_of("t.>"), {}), *port_->subscribe(filter_of("e.*"), {})};
  }
  void unsubscribe() {
    for (const base::SubId sub : subs_) port_->unsubscribe(sub);
    subs_.clear();
  }
  bool subscribed() const { return !subs_.empty(); }
  std::uint64_t last_of(base::PortId publisher) const {
    const auto found = last_.find(publisher);
    return found == last_.end() ? 0 : found->second;
  }

  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override {
    complaints_.expect(subscribed(), "a message after the end of the subscription");
    complaints_.expect(targets.size() == 1, "not once a message and session");
    const std::uint64_t number = message.origin.number;
    const auto [last, is_first] = last_.try_emplace(message.origin.port, number);
    if (!is_first) complaints_.expect(number == last->second + 1, "not its publisher's next one");
    last->second = number;
    // Some outlive the call; large ones are shared with the other loops.
    if (number % 37 == 0) kept_ = message.keep();
    if (message.subject.starts_with("e.")) {
      const std::uint64_t cause = std::stoull(std::string(message.payload));
      const bool known = last_.count(cause_) != 0;
      if (known) complaints_.expect(cause <= last_of(cause_), "an effect before its cause");
    } else {
      complaints_.expect(
          message.payload.find_first_not_of(letter_of(number)) == std::string_view::npos,
          "not the payload of its number");
    }
    return bus::Taken::all;
  }
  void on_relief() override {}

 private:
  Complaints& complaints_;
  bus::OwnedPort port_;
  base::PortId cause_ = base::PortId::none;
  std::vector<base::SubId> subs_;
  std::map<base::PortId, std::uint64_t> last_;
  base::Ref<const bus::Message> kept_;
};

// How often each job was done, of the publisher of each loop.
using Done = std::array<std::array<std::atomic<std::uint8_t>, published + 1>, loops>;

// A member of the queue group that does the jobs.
class Worker final : public bus::Receiver {
 public:
  Worker(bus::Router& router, Complaints& complaints, Done& done)
      : router_(router), complaints_(complaints), done_(done) {
    open();
  }

  // Joins, leaves, leaves after some jobs, or gives up its seat.
  void change(std::mt19937& rng) {
    if (sub_ == base::SubId::none) return join();
    switch (rng() % 4) {
      case 0:
        leave();
        break;
      case 1:
        leave_after(rng() % 5);
        break;
      case 2:
        open();
        break;
      default:
        refuses_ = !refuses_;
    }
  }
  void join() {
    taken_ = limit_ = 0;
    sub_ = *port_->subscribe(filter_of("jobs.*"), {.queue = "workers"});
  }
  void leave() {
    port_->unsubscribe(sub_);
    sub_ = base::SubId::none;
  }

  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override {
    if (refuses_) return bus::Taken::none;
    complaints_.expect(targets.size() == 1 && targets[0].sub == sub_, "not its own job");
    ++taken_;
    complaints_.expect(limit_ == 0 || taken_ <= limit_, "more jobs than it wanted");
    complaints_.expect(targets[0].last == (taken_ == limit_), "not told which job is the last");
    if (targets[0].last) sub_ = base::SubId::none;
    ++done_[base::loop_of(message.origin.port)][message.origin.number];
    return bus::Taken::all;
  }
  void on_relief() override {}

 private:
  void open() {
    sub_ = base::SubId::none;
    port_ = router_.open(principal_of(), *this, nullptr);
  }
  void leave_after(std::uint64_t more) {
    limit_ = taken_ + more;
    if (!port_->unsubscribe(sub_, limit_)) sub_ = base::SubId::none;
  }

  bus::Router& router_;
  Complaints& complaints_;
  Done& done_;
  bus::OwnedPort port_;
  base::SubId sub_ = base::SubId::none;
  bool refuses_ = false;
  std::uint64_t taken_ = 0;
  std::uint64_t limit_ = 0;  // 0: none
};

class NoHelpers final : public app::Helpers {
 public:
  bool run(base::Task, base::Loop&, base::Task) override { return false; }
};

// All that there is on one loop.
struct Actor {
  Actor(bus::Router& router, std::size_t at, Complaints& complaints, Done& done)
      : loop(at),
        rng(static_cast<unsigned>(at)),
        services(router, identity, authenticator, helpers),
        news(router, "t." + std::to_string(at)),
        jobs(router, "jobs." + std::to_string(at)),
        steady(router, complaints),
        fickle(router, complaints),
        worker(router, complaints, done) {}

  std::size_t loop;
  std::mt19937 rng;
  wire::ServerIdentity identity;
  auth::Authenticator authenticator{auth::Settings{}};
  NoHelpers helpers;
  app::LoopServices services;
  Publisher news;
  Publisher jobs;
  Listener steady;  // before all news, to the end
  Listener fickle;
  Worker worker;
};

struct Play {
  Play() : stage(loops, {.lane_limit_bytes = 128 * 1024, .parcel_full_bytes = 32 * 1024}) {
    for (std::size_t i = 0; i < loops; ++i) {
      actors.push_back(std::make_unique<Actor>(stage.router(i), i, complaints, done));
    }
    for (auto& actor : actors) {
      actor->steady.set_cause(actors[0]->news.id());
      actor->fickle.set_cause(actors[0]->news.id());
      actor->steady.subscribe();
    }
    answerer = std::make_unique<Answerer>(stage.router(1), "t.0", "e.1");
    steady_worker = std::make_unique<Worker>(stage.router(2), complaints, done);
    steady_worker->join();
  }

  void run(std::size_t loop) {
    Actor& actor = *actors[loop];
    bool told = false;
    stage.meet();
    for (int waiting = 0; finished.load() != loops; ++waiting) {
      stage.turn(loop).drain();
      if (stage.turn(loop).may_read()) {
        for (std::size_t i = actor.rng() % 8; i > 0; --i) publish(actor);
      }
      if (actor.rng() % 4 == 0) act(actor);
      stage.turn(loop).finish([] { return false; });
      if (!told && actor.news.done() && actor.jobs.done()) {
        told = true;
        ++finished;
      }
      std::this_thread::yield();  // on a busy machine the others may have no core
      if (waiting == most_waiting_turns) {
        complaints.expect(false, "publishers are never relieved");
        finished = loops;
      }
    }
    stage.settle(loop);
  }

  static void publish(Actor& actor) {
    actor.news.publish();
    actor.jobs.publish();
  }

  void act(Actor& actor) {
    switch (actor.rng() % 4) {
      case 0:
        return post(actor);
      case 1:
        return fence(actor);
      case 2:
        return actor.worker.change(actor.rng);
      default:
        actor.fickle.subscribed() ? actor.fickle.unsubscribe() : actor.fickle.subscribe();
    }
  }

  // A task comes after what its loop has routed before.
  void post(Actor& actor) {
    Actor& there = *actors[actor.rng() % loops];
    actor.services.post(static_cast<base::LoopId>(there.loop), [this, &there, id = actor.news.id(),
                                                                number = actor.news.routed()] {
      complaints.expect(there.steady.last_of(id) >= number, "a task before a message");
    });
  }

  // Behind a fence is what every loop had routed.
  void fence(Actor& actor) {
    std::array<std::uint64_t, loops> numbers{};
    for (std::size_t i = 0; i < loops; ++i) numbers[i] = actors[i]->news.routed();
    actor.services.fence([this, &actor, numbers] {
      ++fences;
      for (std::size_t i = 0; i < loops; ++i) {
        complaints.expect(actor.steady.last_of(actors[i]->news.id()) >= numbers[i],
                          "a fence before a message");
      }
    });
  }

  ThreadedStage stage;
  Complaints complaints;
  Done done{};
  std::atomic<std::size_t> finished{0};
  std::atomic<int> fences{0};
  std::vector<std::unique_ptr<Actor>> actors;
  std::unique_ptr<Answerer> answerer;
  std::unique_ptr<Worker> steady_worker;
};

}  // namespace

TEST_CASE("threads: order, queue groups, tasks and fences hold while all loops run at once") {
  const auto play = std::make_unique<Play>();
  play->stage.run([&](std::size_t loop) { play->run(loop); });
  CHECK(play->complaints.text() == "");
  std::size_t not_once = 0;
  for (std::size_t loop = 0; loop < loops; ++loop) {
    for (std::size_t i = 1; i <= published; ++i) not_once += play->done[loop][i] == 1 ? 0 : 1;
    CHECK(play->stage.router(loop).at_rest());
    CHECK(play->stage.router(loop).stats().dropped_queue.get() == 0);
    for (const auto& publisher : play->actors) {
      CHECK(play->actors[loop]->steady.last_of(publisher->news.id()) == published);
      CHECK(play->stage.hub().exchange.lane_bytes(static_cast<base::LoopId>(publisher->loop),
                                                  static_cast<base::LoopId>(loop)) == 0);
    }
  }
  CHECK(not_once == 0);
  CHECK(play->fences.load() > 100);
}

namespace {

// Remembers the number that it has heard last.
struct Ear final : bus::Receiver {
  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
    last = message.origin.number;
    return bus::Taken::all;
  }
  void on_relief() override {}
  std::uint64_t last = 0;
};

}  // namespace

TEST_CASE("threads: a subscription is visible to every loop when subscribe() returns") {
  // Loop 0 publishes all the time and changes its own subscriptions, so that its match is built
  // again for each message; many targets make that take a while. Loop 1 subscribes meanwhile.
  constexpr int rounds = 300;
  ThreadedStage stage(2);
  std::array<Ear, 2> ears;
  std::array<bus::OwnedPort, 2> ports;
  for (std::size_t i = 0; i < 2; ++i) {
    ports[i] = stage.router(i).open(principal_of(), ears[i], nullptr);
  }
  for (int i = 0; i < 200; ++i) ports[0]->subscribe(filter_of(">"), {});
  std::atomic<int> subscribed{0};  // the round whose subscription stands
  std::atomic<int> promised{0};    // the round whose message is on its way
  std::atomic<int> heard{0};
  int missed = 0;
  const auto publish = [&] {
    bus::MessageView message;
    message.route = message.subject = "s.t";
    ports[0]->route(*ports[0]->admit(message));
    stage.step(0);
  };
  const std::array<std::function<void()>, 2> roles = {
      [&] {
        for (int round = 1; round <= rounds; ++round) {
          while (subscribed.load() != round) {
            ports[0]->unsubscribe(*ports[0]->subscribe(filter_of("s.t"), {}));
            publish();
          }
          publish();
          promised.store(round);
          while (heard.load() != round) std::this_thread::yield();
        }
      },
      [&] {
        for (int round = 1; round <= rounds; ++round) {
          const base::SubId sub = *ports[1]->subscribe(filter_of("s.*"), {});
          subscribed.store(round);
          while (promised.load() != round) std::this_thread::yield();
          stage.step(1);
          if (ears[1].last != ports[0]->last_number()) ++missed;
          ports[1]->unsubscribe(sub);
          heard.store(round);
        }
      }};
  stage.run([&](std::size_t loop) {
    roles[loop]();
    stage.settle(loop);
  });
  CHECK(missed == 0);
}
