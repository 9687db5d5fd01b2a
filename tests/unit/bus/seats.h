// Routers on manual loops, and sessions that only remember what they were given.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bus/router.h"
#include "tests/support/manual_loop.h"

namespace spanwire::test {

class Recorder final : public bus::Receiver {
 public:
  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override {
    for (const bus::Target& target : targets) tags.push_back(target.tag);
    subjects.emplace_back(message.subject);
    return answer;
  }
  void on_relief() override {}

  std::vector<std::uint64_t> tags;  // of all targets so far
  std::vector<std::string> subjects;
  bus::Taken answer = bus::Taken::all;
};

struct Site {
  Site(bus::Hub& hub, base::LoopId id, bus::RouterSettings settings = {})
      : loop(id), router(hub, loop, settings, 1 + id) {
    hub.exchange.set_wake(id, [] {});
  }
  ManualLoop loop;
  bus::Router router;
};

// Loops that are stepped one after the other until nothing is left to do.
class Sites {
 public:
  explicit Sites(std::size_t loops, bus::RouterSettings settings = {}) : hub(loops) {
    for (std::size_t i = 0; i < loops; ++i) {
      sites.push_back(std::make_unique<Site>(hub, static_cast<base::LoopId>(i), settings));
    }
  }
  bus::Router& operator[](std::size_t index) { return sites[index]->router; }
  void settle() {
    for (int round = 0; round < 8; ++round) {
      for (auto& site : sites) {
        site->router.hand_over();
        site->router.drain();
      }
    }
  }

  bus::Hub hub;
  std::vector<std::unique_ptr<Site>> sites;
};

inline base::Ref<const account::Principal> principal_with(
    base::Ref<const account::PermissionSet> permissions, base::AccountId account = 0) {
  auto principal = base::make_ref<account::Principal>();
  principal->account = base::make_ref<account::Account>(account, "A" + std::to_string(account));
  principal->permissions = std::move(permissions);
  return principal;
}

inline base::Ref<const account::Principal> anybody(base::AccountId account = 0) {
  return principal_with(nullptr, account);
}

inline subject::Filter filter_of(std::string_view text) {
  return *subject::parse_nats_filter(text);
}

inline bus::MessageView message_to(std::string_view subject, std::string_view payload = "x") {
  bus::MessageView message;
  message.route = subject;
  message.subject = subject;
  message.payload = payload;
  return message;
}

}  // namespace spanwire::test
