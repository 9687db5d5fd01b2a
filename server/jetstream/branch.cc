#include "jetstream/branch.h"

#include <fmt/format.h>

#include <algorithm>

namespace spanwire::jetstream {
namespace {

constexpr int passes_a_turn = 4;
// After so long the others wait for the next turn; whoever is being served ends his slice.
constexpr base::Duration time_a_turn = std::chrono::milliseconds(1);

}  // namespace

Branch::Branch(wire::Services& services, const Settings& settings, Usage& usage,
               base::Histogram& stored_after, base::Ref<const account::Principal> principal,
               std::uint64_t seed)
    : services_(services),
      settings_(settings),
      usage_(usage),
      stored_after_(stored_after),
      principal_(principal),
      seat_(services, std::move(principal)),
      random_(seed) {}

Branch::~Branch() {
  services_.forget(*this);
}

void Branch::mark(Served& served) {
  if (served.set_marked(true)) return;
  if (marked_.empty() && nobody_.empty() && !ending_) services_.at_turn_end(*this);
  marked_.push_back(&served);
}

void Branch::forget(Served& served) {
  std::erase(marked_, &served);
  std::replace(serving_.begin(), serving_.end(), &served, static_cast<Served*>(nullptr));
  served.set_marked(false);
}

void Branch::say_nobody(std::string_view reply, std::string_view subject) {
  if (nobody_.empty() && marked_.empty() && !ending_) services_.at_turn_end(*this);
  nobody_.emplace_back(reply, fmt::format("NATS/1.0 503\r\nNats-Subject: {}\r\n\r\n", subject));
}

void Branch::advise(std::string_view subject, std::string_view json) {
  if (!seat_.interested(subject)) return;
  seat_.publish({.route = subject, .payload = json});
}

// Who is marked by another one's work is served in the same turn; who has more to do goes on in the
// next.
void Branch::on_turn_end() {
  ending_ = true;
  for (const auto& [reply, headers] : std::exchange(nobody_, {})) {
    seat_.publish({.route = reply, .headers = headers});
  }
  std::vector<Served*> again;
  const base::Time end = services_.loop().exact_now() + time_a_turn;
  bool late = false;
  for (int pass = 0; pass < passes_a_turn && !marked_.empty() && !late; ++pass) {
    serving_.swap(marked_);
    for (std::size_t i = 0; i < serving_.size(); ++i) {
      if (serving_[i] == nullptr) continue;
      late = i != 0 && services_.loop().exact_now() > end;
      if (late) {
        serving_.erase(serving_.begin(), serving_.begin() + static_cast<std::ptrdiff_t>(i));
        std::erase(serving_, nullptr);
        serving_.insert(serving_.end(), marked_.begin(), marked_.end());
        marked_.swap(serving_);
        break;
      }
      serving_[i]->set_marked(false);
      if (serving_[i]->serve() && serving_[i] != nullptr) again.push_back(serving_[i]);
    }
    serving_.clear();
  }
  for (Served* served : again) mark(*served);
  ending_ = false;
  if (!marked_.empty() || !nobody_.empty()) services_.at_turn_end(*this);
}

}  // namespace spanwire::jetstream
