// Random work on a log, beside a map that does the same in the plainest way.
#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <set>

#include "base/random.h"
#include "contract/store/stage.h"
#include "support/seeds.h"

using namespace spanwire;
using store::Found;
using store::Sequence;
using test::Stored;

namespace {

struct Model {
  std::map<Sequence, Stored> messages;
  Sequence last = 0;
  base::WallTime last_time{};

  store::Totals totals(store::Storage storage) const {
    store::Totals totals{.messages = messages.size(), .last = last, .last_time = last_time};
    totals.first = messages.empty() ? last + 1 : messages.begin()->first;
    if (!messages.empty()) totals.first_time = messages.begin()->second.time;
    std::set<std::string_view> subjects;
    for (const auto& [sequence, stored] : messages) {
      subjects.insert(stored.subject);
      totals.bytes += counted_bytes(
          storage,
          {.subject = stored.subject, .headers = stored.headers, .payload = stored.payload});
    }
    totals.subjects = subjects.size();
    return totals;
  }
  std::map<std::string, store::SubjectTotals> subjects() const {
    std::map<std::string, store::SubjectTotals> all;
    for (const auto& [sequence, stored] : messages) {
      store::SubjectTotals& totals = all[stored.subject];
      ++totals.messages;
      totals.last = sequence;
    }
    return all;
  }
  Sequence first_of(std::string_view subject) const {
    for (const auto& [sequence, stored] : messages) {
      if (stored.subject == subject) return sequence;
    }
    return 0;
  }
};

void check_totals(const store::Totals& got, const store::Totals& wanted, bool with_first_time) {
  CHECK(got.messages == wanted.messages);
  CHECK(got.bytes == wanted.bytes);
  CHECK(got.first == wanted.first);
  CHECK(got.last == wanted.last);
  CHECK(got.subjects == wanted.subjects);
  CHECK(got.deleted() == wanted.deleted());
  CHECK((got.last_time == wanted.last_time));
  if (with_first_time) CHECK((got.first_time == wanted.first_time));
}

class Walkthrough {
 public:
  explicit Walkthrough(std::uint64_t seed) : random_(seed) {
    stage_->owner.on_commit = [this](store::Ticket ticket) {
      while (!parts_.empty() && parts_.front().first <= ticket) {
        committed_ = std::move(parts_.front().second);
        parts_.pop_front();
      }
    };
    for (const auto& filters :
         std::vector<std::vector<std::string_view>>{{},
                                                    {"kv.1"},
                                                    {"kv.1", "kv.2", "absent"},
                                                    {"kv.*"},
                                                    {"*.3", "kv.>"},
                                                    {"once.>"},
                                                    {"nothing.>"},
                                                    {">"}}) {
      selections_.push_back(stage_->select(filters));
    }
  }

  void step() {
    const std::uint32_t choice = random_.below(100);
    if (choice < 50) {
      append();
    } else if (choice < 65) {
      erase();
    } else if (choice < 67) {
      erase_through();
    } else if (choice < 85) {
      parts_.emplace_back(++ticket_, ahead_);
      CHECK(stage_->log().commit() == ticket_);
    } else {
      stage_->settle();
    }
    check_ahead();
    check_committed();
    check_searches();
  }

 private:
  std::string some_subject() {
    if (random_.below(3) == 0) return "once." + std::to_string(++once_);
    return "kv." + std::to_string(random_.below(8));
  }
  Sequence some_sequence() { return random_.below(static_cast<std::uint32_t>(ahead_.last + 4)); }

  void append() {
    stage_->now += std::chrono::milliseconds(random_.below(3));
    const Stored stored{.subject = some_subject(),
                        .headers = std::string(random_.below(2) * random_.below(40), 'h'),
                        .payload = std::string(random_.below(300), 'p'),
                        .time = stage_->now};
    const Sequence sequence = stage_->append(stored.subject, stored.payload, stored.headers);
    CHECK(sequence == ahead_.last + 1);
    ahead_.last = sequence;
    ahead_.last_time = stored.time;
    ahead_.messages.emplace(sequence, stored);
  }

  void erase() {
    Sequence sequence = some_sequence();
    if (random_.below(2) == 0 && !ahead_.messages.empty()) {
      sequence = ahead_.messages.begin()->first;
    }
    CHECK(stage_->log().erase(sequence) == (ahead_.messages.erase(sequence) == 1));
  }

  void erase_through() {
    const Sequence sequence =
        random_.below(8) == 0 ? ahead_.last + random_.below(40) : some_sequence();
    const std::size_t budget = 1 + random_.below(20);
    const bool done = stage_->log().erase_through(sequence, budget);
    std::size_t erased = 0;
    if (!done) {  // then it has erased some, from the front
      const Sequence first = stage_->log().ahead().first;
      CHECK(first <= sequence);
      while (!ahead_.messages.empty() && ahead_.messages.begin()->first < first) {
        ahead_.messages.erase(ahead_.messages.begin());
        ++erased;
      }
      CHECK(erased > 0);
      return;
    }
    while (!ahead_.messages.empty() && ahead_.messages.begin()->first <= sequence) {
      ahead_.messages.erase(ahead_.messages.begin());
      ++erased;
    }
    CHECK(erased <= budget);
    ahead_.last = std::max(ahead_.last, sequence);
  }

  void check_ahead() {
    store::Log& log = stage_->log();
    check_totals(log.ahead(), ahead_.totals(log.storage()), false);
    CHECK(log.ahead_first() == (ahead_.messages.empty() ? 0 : ahead_.messages.begin()->first));
    const auto subjects = ahead_.subjects();
    for (const std::string subject : {"kv.1", "kv.2", "absent", "once.3"}) {
      const auto known = subjects.find(subject);
      const store::SubjectTotals wanted =
          known == subjects.end() ? store::SubjectTotals{} : known->second;
      CHECK(log.ahead_of(subject) == wanted);
      if (random_.below(4) == 0) CHECK(log.ahead_first_of(subject) == ahead_.first_of(subject));
    }
  }

  void check_committed() {
    store::Log& log = stage_->log();
    check_totals(log.totals(), committed_.totals(log.storage()), true);
    const auto subjects = committed_.subjects();
    const auto known = subjects.find("kv.1");
    CHECK(log.of("kv.1") == (known == subjects.end() ? store::SubjectTotals{} : known->second));
    const Sequence sequence = some_sequence();
    const auto message = committed_.messages.find(sequence);
    const bool there = message != committed_.messages.end();
    CHECK(log.has(sequence) == there);
    const std::optional<Stored> got = stage_->read(sequence);
    CHECK(got.has_value() == there);
    if (there && got) CHECK(*got == message->second);
    if (there) CHECK(log.subject_of(sequence) == message->second.subject);
  }

  void check_searches() {
    store::Selection& selection = *selections_[random_.below(8)];
    const Sequence from = some_sequence();
    const std::size_t budget = random_.below(2) == 0 ? 1 + random_.below(5) : 1'000'000;
    Sequence next = 0;
    Sequence last = 0;
    Sequence since = 0;
    std::uint64_t count = 0;
    std::vector<Sequence> lasts;
    const auto last_of = committed_.subjects();
    const base::WallTime time = stage_->now - std::chrono::milliseconds(random_.below(300));
    for (const auto& [sequence, stored] : committed_.messages) {
      if (since == 0 && stored.time >= time) since = sequence;
      if (!selection.matches(stored.subject)) continue;
      if (sequence >= from && ahead_.messages.contains(sequence)) ++count;
      if (sequence >= from && next == 0) next = sequence;
      if (sequence >= from && last_of.at(stored.subject).last == sequence) {
        lasts.push_back(sequence);
      }
      if (sequence <= from) last = sequence;
    }
    const auto is = [](const Found& found, Sequence wanted) {
      return found.kind == (wanted == 0 ? Found::Kind::none : Found::Kind::message) &&
             found.sequence == wanted;
    };
    CHECK(is(stage_->next(selection, from, budget), next));
    CHECK(is(stage_->last(selection, from, budget), last));
    CHECK(stage_->count(selection, from, budget) == count);
    CHECK(stage_->lasts(selection, from, budget) == lasts);
    CHECK(is(stage_->first_since(time), since));
    const std::string after = random_.below(2) == 0 ? std::string() : some_subject();
    test::LogStage::Subjects subjects;
    for (const auto& [subject, totals] : committed_.subjects()) {
      if (subject > after && selection.matches(subject)) subjects.emplace_back(subject, totals);
    }
    CHECK(stage_->subjects(selection, after, budget) == subjects);
  }

  base::Random random_;
  std::unique_ptr<test::LogStage> stage_ = test::make_stage();
  std::vector<std::unique_ptr<store::Selection>> selections_;
  Model ahead_;
  Model committed_;
  std::deque<std::pair<store::Ticket, Model>> parts_;
  store::Ticket ticket_ = 0;
  int once_ = 0;
};

}  // namespace

TEST_CASE("log: random work is what a map would make of it") {
  for (std::uint64_t seed = 1; seed <= test::seeds(6); ++seed) {
    CAPTURE(seed);
    Walkthrough walk(seed);
    for (int i = 0; i < 2'000; ++i) walk.step();
  }
}
