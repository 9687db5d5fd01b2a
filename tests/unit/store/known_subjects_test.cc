#include "store/known_subjects.h"

#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>
#include <vector>

using namespace spanwire;
using store::KnownSubjects;
using store::no_subject;
using store::SubjectId;

namespace {

SubjectId find(const KnownSubjects& known, std::string_view text) {
  SubjectId id = 0;
  known.find(std::span(&text, 1), std::span(&id, 1));
  return id;
}

std::string word(std::size_t i) {
  return std::string(i % 50, 'a') + '.' + std::to_string(i);
}

}  // namespace

TEST_CASE("known subjects: each has the number that it was given, and others have none") {
  KnownSubjects known(3'000);
  CHECK(find(known, "a") == no_subject);
  for (std::size_t i = 0; i < 3'000; ++i) {
    known.remember(word(i), static_cast<SubjectId>(i * 7));
  }
  CHECK(known.size() == 3'000);
  for (std::size_t i = 0; i < 4'000; ++i) {
    CHECK(find(known, word(i)) == (i < 3'000 ? static_cast<SubjectId>(i * 7) : no_subject));
  }
  CHECK(find(known, "") == no_subject);
  known.forget_all();
  CHECK(find(known, word(1)) == no_subject);
  known.remember(word(1), 5);
  CHECK(find(known, word(1)) == 5);
}

TEST_CASE("known subjects: as many as are looked up together") {
  KnownSubjects known(100);
  std::array<std::string, KnownSubjects::most_together> words;
  std::array<std::string_view, KnownSubjects::most_together> texts;
  std::array<SubjectId, KnownSubjects::most_together> ids;
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = word(i);
    texts[i] = words[i];
    if (i % 3 != 0) known.remember(words[i], static_cast<SubjectId>(i));
  }
  known.find(texts, ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i] == (i % 3 != 0 ? static_cast<SubjectId>(i) : no_subject));
  }
  known.find({}, {});
}

TEST_CASE("known subjects: one that is full forgets what it knows, and learns anew") {
  KnownSubjects known(100);
  const std::size_t memory = known.memory_bytes();
  std::size_t most = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    known.remember(word(i), static_cast<SubjectId>(i));
    CHECK(find(known, word(i)) == i);
    most = std::max(most, known.size());
  }
  CHECK(most >= 100);
  CHECK(most <= 128);
  CHECK(known.memory_bytes() == memory);
  CHECK(find(known, word(1)) == no_subject);
}

TEST_CASE("known subjects: long texts fill it before their number does, and too long ones never") {
  KnownSubjects known(1);
  std::size_t most = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    std::string text(KnownSubjects::longest, 'x');
    text[i] = 'y';
    known.remember(text, static_cast<SubjectId>(i));
    CHECK(find(known, text) == i);
    most = std::max(most, known.size());
    known.remember(text + 'x', 7);
    CHECK(find(known, text + 'x') == no_subject);
  }
  CHECK(most >= 1);
  CHECK(most < 4);
}

TEST_CASE("known subjects: however many there may be, its memory has a limit") {
  CHECK(KnownSubjects(SIZE_MAX).memory_bytes() < 12U << 20);
  CHECK(KnownSubjects(0).memory_bytes() < 4'096);
}
