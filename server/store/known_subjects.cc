#include "store/known_subjects.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/text_hash.h"

namespace spanwire::store {

namespace {

constexpr std::size_t least = 16;
// An average subject fits, with its number and its size.
constexpr std::size_t units_a_subject = 16;

std::uint32_t hash_of(std::string_view text) {
  return static_cast<std::uint32_t>(base::TextHash{}(text));
}

std::size_t capacity_for(std::size_t subjects) {
  return std::bit_ceil(std::clamp(subjects, least, KnownSubjects::most));
}

}  // namespace

// Two slots a subject at least, so that few stand far from where they are looked for first.
KnownSubjects::KnownSubjects(std::size_t subjects)
    : slots_(2 * capacity_for(subjects)),
      text_units_(capacity_for(subjects) * units_a_subject + longest / 4 + entry_units + 1),
      texts_(std::make_unique_for_overwrite<std::uint32_t[]>(text_units_)) {}

std::uint32_t KnownSubjects::entry_of(std::uint32_t hash) const {
  for (std::size_t at = hash;; ++at) {
    const Slot& slot = slots_[at & (slots_.size() - 1)];
    if (slot.hash == hash || slot.entry == 0) return slot.entry;
  }
}

bool KnownSubjects::is(std::uint32_t entry, std::string_view text) const {
  return texts_[entry + 1] == text.size() &&
         std::memcmp(&texts_[entry + entry_units], text.data(), text.size()) == 0;
}

void KnownSubjects::find(std::span<const std::string_view> texts, std::span<SubjectId> ids) const {
  BASE_ASSERT(texts.size() <= most_together && ids.size() == texts.size());
  std::array<std::uint32_t, most_together> hashes;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    hashes[i] = hash_of(texts[i]);
    __builtin_prefetch(&slots_[hashes[i] & (slots_.size() - 1)]);
  }
  std::array<std::uint32_t, most_together> entries;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    entries[i] = entry_of(hashes[i]);
    __builtin_prefetch(&texts_[entries[i]]);
    __builtin_prefetch(&texts_[entries[i]] + 8);  // often it goes on in the next line
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool known = entries[i] != 0 && is(entries[i], texts[i]);
    ids[i] = known ? texts_[entries[i]] : no_subject;
  }
}

// Of two that have the same hash only one is kept: the other is looked up in the tree.
void KnownSubjects::remember(std::string_view text, SubjectId id) {
  if (text.size() > longest) return;
  const std::size_t units = entry_units + (text.size() + 3) / 4;
  if (2 * (size_ + 1) > slots_.size() || used_units_ + units > text_units_) forget_all();
  const std::uint32_t hash = hash_of(text);
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].entry != 0) {
    if (slots_[at].hash == hash) return;
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = {.hash = hash, .entry = static_cast<std::uint32_t>(used_units_)};
  texts_[used_units_] = id;
  texts_[used_units_ + 1] = static_cast<std::uint32_t>(text.size());
  std::memcpy(&texts_[used_units_ + entry_units], text.data(), text.size());
  used_units_ += units;
  ++size_;
}

void KnownSubjects::forget_all() {
  if (size_ == 0) return;
  std::fill(slots_.begin(), slots_.end(), Slot());
  used_units_ = 1;
  size_ = 0;
}

}  // namespace spanwire::store
