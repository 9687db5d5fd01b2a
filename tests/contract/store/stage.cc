#include "contract/store/stage.h"

#include <doctest/doctest.h>

namespace spanwire::test {

using store::Found;
using store::Sequence;

Sequence LogStage::append(std::string_view subject, std::string_view payload,
                          std::string_view headers) {
  return log().append({.subject = subject, .headers = headers, .payload = payload, .time = now});
}

Sequence LogStage::append_at(std::int64_t seconds, std::string_view subject) {
  now = at_second(seconds);
  return append(subject);
}

void LogStage::commit() {
  log().commit();
  settle();
}

void LogStage::erase_through(Sequence sequence) {
  while (!log().erase_through(sequence)) commit();
}

std::optional<Stored> LogStage::read(Sequence sequence) {
  store::Message message;
  store::Read result = log().read(sequence, message);
  if (result == store::Read::later) {
    bool ready = false;
    log().fetch(sequence, [&ready] { ready = true; });
    settle_reads();
    REQUIRE(ready);
    result = log().read(sequence, message);
  }
  if (result == store::Read::gone) return std::nullopt;
  REQUIRE(result == store::Read::found);
  CHECK(message.sequence == sequence);
  return Stored{std::string(message.subject), std::string(message.headers),
                std::string(message.payload), message.time};
}

std::unique_ptr<store::Selection> LogStage::select(std::vector<std::string_view> texts) {
  std::vector<subject::Filter> filters;
  filters.reserve(texts.size());
  for (const std::string_view text : texts) {
    filters.push_back(subject::parse_nats_filter(text).value());
  }
  return log().select(std::move(filters));
}

Found LogStage::next(store::Selection& selection, Sequence from, std::size_t budget) {
  while (true) {
    const Found found = log().next(selection, from, budget);
    if (found.kind != Found::Kind::more) return found;
    REQUIRE(found.sequence > from);
    from = found.sequence;
  }
}

Found LogStage::last(store::Selection& selection, Sequence up_to, std::size_t budget) {
  while (true) {
    const Found found = log().last(selection, up_to, budget);
    if (found.kind != Found::Kind::more) return found;
    REQUIRE(found.sequence < up_to);
    up_to = found.sequence;
  }
}

std::uint64_t LogStage::count(store::Selection& selection, Sequence from, std::size_t budget) {
  std::uint64_t count = 0;
  Sequence up_to = log().totals().last;
  while (true) {
    const Found found = log().count(selection, from, up_to, count, budget);
    if (found.kind == Found::Kind::none) return count;
    REQUIRE(found.kind == Found::Kind::more);
    REQUIRE(found.sequence < up_to);
    up_to = found.sequence;
  }
}

std::vector<Sequence> LogStage::lasts(store::Selection& selection, Sequence from,
                                      std::size_t budget) {
  std::vector<Sequence> lasts;
  while (true) {
    const auto visit = [&lasts](Sequence sequence) { lasts.push_back(sequence); };
    const Found found = log().each_last(selection, from, visit, budget);
    if (found.kind == Found::Kind::none) return lasts;
    REQUIRE(found.kind == Found::Kind::more);
    REQUIRE(found.sequence > from);
    from = found.sequence;
  }
}

LogStage::Subjects LogStage::subjects(store::Selection& selection, std::string after,
                                      std::size_t budget) {
  Subjects found;
  while (true) {
    store::Walked walked = log().each_subject(
        selection, after,
        [&found](std::string_view subject, const store::SubjectTotals& totals) {
          found.emplace_back(subject, totals);
          return true;
        },
        budget);
    if (walked.all) return found;
    REQUIRE(walked.after > after);
    after = std::move(walked.after);
  }
}

Found LogStage::first_since(base::WallTime time) {
  Found found = log().first_since(time);
  for (int tries = 0; found.kind == Found::Kind::more; ++tries) {
    REQUIRE(tries < 100);
    settle();
    found = log().first_since(time);
  }
  return found;
}

}  // namespace spanwire::test
