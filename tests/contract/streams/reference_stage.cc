// Clients of the API of a real nats-server: NATS_SERVER, or the one in PATH. Without one the test
// is skipped.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "crypto/nuid.h"
#include "json/document.h"
#include "streams/api_client.h"
#include "tests/contract/streams/stage.h"
#include "tests/support/manual_loop.h"
#include "tests/support/nats_connection.h"
#include "tests/support/nats_process.h"

namespace spanwire::test {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Only for a test that fails: the machine may be busy with others.
constexpr auto longest_wait = 120s;
// Nothing was heard for that long after the server has answered to a PING: nothing comes.
constexpr auto quiet_time = 30ms;
constexpr int skipped = 77;  // to meson

class NatsLink final : public streams::Link {
 public:
  NatsLink(std::uint16_t port, std::set<NatsLink*>& all) : connection_(port), all_(all) {
    all_.insert(this);
  }
  ~NatsLink() { all_.erase(this); }
  NatsLink(const NatsLink&) = delete;
  NatsLink& operator=(const NatsLink&) = delete;

  void open(Listener& listener) override {
    listener_ = &listener;
    connection_.subscribe(inbox_ + ".*", ++last_sid_);
  }
  std::string_view inbox() const override { return inbox_; }
  void listen(std::string_view token) override {
    tokens_[std::to_string(++last_sid_)] = token;
    connection_.subscribe(inbox_ + '.' + std::string(token) + ".*", last_sid_);
  }
  void unlisten(std::string_view token) override {
    const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                    [&](auto& one) { return one.second == token; });
    if (found == tokens_.end()) return;
    connection_.unsubscribe(std::stoull(found->first));
    tokens_.erase(found);
  }
  bool publish(std::string_view subject, std::string_view reply, std::string_view headers,
               std::string_view payload) override {
    connection_.publish(subject, reply, headers, payload);
    return true;
  }

  NatsConnection& connection() { return connection_; }
  // Messages are handed over by hand_over(), which may destroy this.
  bool work() {
    return connection_.work([this](const NatsFrame& frame) {
      bus::MessageView view;
      view.route = view.subject = frame.subject;
      view.reply = frame.reply;
      view.headers = frame.headers;
      view.payload = frame.payload;
      if (std::string token = token_of(frame); !token.empty()) {
        arrived_.emplace_back(std::move(token), view.keep());
      }
    });
  }
  bool hand_over() {
    const auto messages = std::exchange(arrived_, {});
    std::set<NatsLink*>& all = all_;
    for (const auto& [token, message] : messages) {
      if (!all.contains(this)) break;
      listener_->on_inbox(token, message->view());
    }
    return !messages.empty();
  }

 private:
  std::string token_of(const NatsFrame& frame) const {
    if (frame.subject.starts_with(inbox_)) {
      return std::string(frame.subject.substr(inbox_.size() + 1));
    }
    const auto found = tokens_.find(std::string(frame.sid));
    return found == tokens_.end() ? std::string() : found->second;
  }

  NatsConnection connection_;
  std::set<NatsLink*>& all_;
  const std::string inbox_ = "_INBOX." + crypto::NuidSource().next();
  Listener* listener_ = nullptr;
  std::uint64_t last_sid_ = 0;
  std::map<std::string, std::string> tokens_;  // by sid
  std::vector<std::pair<std::string, base::Ref<const bus::Message>>> arrived_;
};

class ReferenceStage final : public StreamsStage {
 public:
  explicit ReferenceStage(const std::string& program) : server_(program), admin_(server_.port()) {
    loop_.set_now(Clock::now());
    admin_.subscribe("admin.inbox", 1);
    // It listens before JetStream is there.
    run_until([this] { return api("INFO", "").find("\"error\"") == std::string::npos; });
  }

  std::unique_ptr<streams::Client> make_client() override {
    return std::make_unique<streams::ApiClient>(loop_,
                                                std::make_unique<NatsLink>(server_.port(), links_),
                                                streams::ApiSettings{.timeout = longest_wait});
  }
  void run_until(const std::function<bool()>& done) override {
    const auto end = Clock::now() + longest_wait;
    while (!done() && Clock::now() < end) step();
  }
  void settle() override {
    std::map<NatsLink*, std::uint64_t> pongs;
    for (NatsLink* link : links_) {
      pongs[link] = link->connection().pongs();
      link->connection().ping();
    }
    run_until([&] {
      for (const auto& [link, before] : pongs) {
        if (links_.contains(link) && link->connection().pongs() == before) return false;
      }
      return true;
    });
    auto last = Clock::now();
    run_until([&] {
      if (busy_) last = Clock::now();
      return Clock::now() - last > quiet_time;
    });
  }
  void advance(base::Duration by) override {
    const auto end = Clock::now() + by;
    while (Clock::now() < end) step();
  }
  std::string api(std::string_view operation, std::string_view body) override {
    std::optional<std::string> answer;
    admin_.publish("$JS.API." + std::string(operation), "admin.inbox", {}, body);
    const auto end = Clock::now() + longest_wait;
    while (!answer && Clock::now() < end) {
      admin_.work([&](const NatsFrame& frame) { answer = frame.payload; });
      std::this_thread::sleep_for(1ms);
    }
    return answer.value_or("");
  }

 private:
  void step() {
    wait();
    loop_.set_now(Clock::now());
    busy_ = false;
    for (NatsLink* link : std::set<NatsLink*>(links_)) {
      if (!links_.contains(link)) continue;
      if (link->work()) busy_ = true;
      if (link->hand_over()) busy_ = true;
    }
    if (loop_.run_timers()) busy_ = true;
    if (loop_.run_posted()) busy_ = true;
    for (NatsLink* link : std::set<NatsLink*>(links_)) {
      if (link->work()) busy_ = true;
    }
  }
  void wait() {
    std::vector<pollfd> sockets;
    for (NatsLink* link : links_) {
      sockets.push_back({.fd = link->connection().descriptor(), .events = POLLIN, .revents = 0});
    }
    ::poll(sockets.data(), sockets.size(), 1);
  }

  NatsProcess server_;
  NatsConnection admin_;
  ManualLoop loop_{0};
  std::set<NatsLink*> links_;
  bool busy_ = false;
};

}  // namespace

std::unique_ptr<StreamsStage> make_streams_stage() {
  const auto program = find_nats_server();
  if (!program) {
    std::puts("skipped: there is no nats-server; name one by NATS_SERVER");
    std::exit(skipped);
  }
  return std::make_unique<ReferenceStage>(*program);
}

}  // namespace spanwire::test
