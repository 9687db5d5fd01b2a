#include "bus/receipts.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace spanwire::bus {

void Storing::add(Storing other) {
  targets += other.targets;
  sequence = std::max(sequence, other.sequence);
  duplicate = duplicate || other.duplicate;
  if (other.outcome <= outcome) return;
  outcome = other.outcome;
  code = other.code;
  reason = std::move(other.reason);
}

ReceiptId Receipts::begin(Answered answered) {
  BASE_ASSERT(current_ == ReceiptId::none);
  current_ = static_cast<ReceiptId>(++last_);
  beginning_ = {.answered = std::move(answered)};
  return current_;
}

void Receipts::claim(ReceiptId receipt) {
  BASE_ASSERT(receipt == current_);
  ++beginning_.claims;
}

bool Receipts::end() {
  const ReceiptId receipt = std::exchange(current_, ReceiptId::none);
  const bool claimed = beginning_.claims != 0;
  if (claimed) {
    open_.emplace(receipt, std::move(beginning_));
    deadlines_.push_back({loop_.now() + receipt_deadline, receipt});
    if (timer_ == base::TimerId::none) arm();
  }
  beginning_ = {};
  return claimed;
}

void Receipts::answer(ReceiptId receipt, Storing storing) {
  BASE_ASSERT(receipt != current_);
  const auto found = open_.find(receipt);
  if (found == open_.end()) return;
  Open& open = found->second;
  open.storing.add(std::move(storing));
  if (--open.claims != 0) return;
  Open complete = std::move(open);
  open_.erase(found);
  drop_deadlines();
  complete.answered(std::move(complete.storing));
}

// Of receipts that were answered: as a rule they are the oldest.
void Receipts::drop_deadlines() {
  while (!deadlines_.empty() && !open_.contains(deadlines_.front().receipt)) deadlines_.pop_front();
}

void Receipts::arm() {
  timer_ = loop_.start_timer(deadlines_.front().at - loop_.now(), [this] { expire(); });
}

void Receipts::expire() {
  timer_ = base::TimerId::none;
  const base::Time now = loop_.now();
  for (; !deadlines_.empty() && deadlines_.front().at <= now; drop_deadlines()) {
    const auto found = open_.find(deadlines_.front().receipt);
    Open late = std::move(found->second);
    open_.erase(found);
    expired_.add();
    late.storing.add(
        {.outcome = Storing::Outcome::unknown, .reason = "the store did not answer in time"});
    late.answered(std::move(late.storing));
  }
  if (!deadlines_.empty()) arm();
}

}  // namespace spanwire::bus
