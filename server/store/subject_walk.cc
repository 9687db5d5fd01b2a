// SubjectTree::Walk.
#include <algorithm>

#include "store/subject_tree.h"
#include "subject/subject.h"

namespace spanwire::store {

using subject::FilterToken;
using subject::TokenKind;

SubjectTree::Walk::Walk(const SubjectTree& tree, const subject::Filter* filter,
                        std::string_view after)
    : tree_(tree), filter_(filter) {
  if (tree_.root_ == 0) return;
  Spot spot;
  if (filter_ == nullptr) {
    spot.rest = true;
  } else if (filter_->size() == 0) {
    return;
  } else {
    begin_token(spot);
  }
  levels_.push_back({.ref = tree_.root_, .spot = spot});
  if (!after.empty()) seek(after);
}

// At the front of a token of the text; false: the filter has no more.
bool SubjectTree::Walk::begin_token(Spot& spot) const {
  if (spot.token == filter_->size()) return false;
  const TokenKind kind = (*filter_)[spot.token].kind;
  spot.offset = 0;
  spot.rest = kind != TokenKind::literal && kind != TokenKind::one;
  return true;
}

bool SubjectTree::Walk::advance(Spot& spot, std::string_view bytes) const {
  if (filter_ != nullptr && filter_->not_dollar() && text_.empty() && bytes.starts_with('$')) {
    return false;
  }
  while (!spot.rest && !bytes.empty()) {
    const FilterToken token = (*filter_)[spot.token];
    const std::string_view part = bytes.substr(0, bytes.find(subject::separator));
    if (token.kind == TokenKind::literal) {
      if (!token.text.substr(spot.offset).starts_with(part)) return false;
      spot.offset += static_cast<std::uint32_t>(part.size());
    }
    bytes.remove_prefix(part.size());
    if (bytes.empty()) return true;
    if (token.kind == TokenKind::literal && spot.offset != token.text.size()) return false;
    bytes.remove_prefix(1);
    ++spot.token;
    if (!begin_token(spot)) return false;
  }
  return true;
}

bool SubjectTree::Walk::accepts(const Spot& spot) const {
  if (filter_ == nullptr) return true;
  if (filter_->has_any()) return subject::matches(*filter_, text_);
  if (spot.rest) return true;
  const FilterToken token = (*filter_)[spot.token];
  if (token.kind == TokenKind::literal && spot.offset != token.text.size()) return false;
  const std::size_t left = filter_->size() - spot.token - 1;
  return left == 0 || (left == 1 && (*filter_)[spot.token + 1U].kind == TokenKind::tail_or_here);
}

int SubjectTree::Walk::expected(const Spot& spot) const {
  if (spot.rest) return -1;
  const FilterToken token = (*filter_)[spot.token];
  if (token.kind != TokenKind::literal) return -1;
  if (spot.offset == token.text.size()) return subject::separator;
  return static_cast<unsigned char>(token.text[spot.offset]);
}

SubjectTree::Ref SubjectTree::Walk::next_child(Level& level) const {
  const Node& node = tree_.node(level.ref);
  const Ref* children = tree_.children(level.ref);
  const bool by_byte = node.count != 0 && room_of(node.rooms) == 256;
  const std::uint32_t places = by_byte ? 256 : node.count;
  if (const int byte = expected(level.spot); byte >= 0) {
    const Ref* slot = tree_.child_slot(level.ref, static_cast<unsigned char>(byte));
    const bool comes = slot != nullptr && slot - children >= level.next;
    level.next = static_cast<std::uint16_t>(places);
    return comes ? *slot : 0;
  }
  while (level.next < places) {
    if (const Ref child = children[level.next++]; child != 0) return child;
  }
  return 0;
}

bool SubjectTree::Walk::enter(Ref ref) {
  Spot spot = levels_.back().spot;
  const std::string_view own = tree_.text(ref);
  if (!advance(spot, own)) return false;
  levels_.push_back(
      {.ref = ref, .text_bytes = static_cast<std::uint32_t>(text_.size()), .spot = spot});
  text_ += own;
  return true;
}

SubjectTree::Walk::Step SubjectTree::Walk::next(std::size_t& budget) {
  while (!levels_.empty()) {
    Level& level = levels_.back();
    const Ref child = next_child(level);
    if (child == 0) {
      text_.resize(level.text_bytes);
      levels_.pop_back();
      continue;
    }
    const std::size_t left = budget;
    if (budget != 0) --budget;
    if (!enter(child)) continue;
    id_ = tree_.node(child).id;
    if (id_ != no_subject && accepts(levels_.back().spot)) return Step::found;
    if (left <= 1) return Step::paused;
  }
  return Step::end;
}

bool SubjectTree::Walk::seek_child(std::string_view& rest) {
  Level& level = levels_.back();
  const Node& node = tree_.node(level.ref);
  const auto byte = static_cast<unsigned char>(rest[0]);
  const Ref* slot = tree_.child_slot(level.ref, byte);
  if (slot == nullptr) {  // on with the one that comes after this byte
    const unsigned char* keys = tree_.keys(level.ref);
    level.next =
        room_of(node.rooms) == 256
            ? byte
            : static_cast<std::uint16_t>(std::upper_bound(keys, keys + node.count, byte) - keys);
    return false;
  }
  level.next = static_cast<std::uint16_t>(slot - tree_.children(level.ref));
  const std::string_view own = tree_.text(*slot);
  const int order = own.compare(rest.substr(0, own.size()));
  if (order > 0) return false;
  ++level.next;
  if (order < 0 || !enter(*slot)) return false;
  rest.remove_prefix(own.size());
  return !rest.empty();
}

void SubjectTree::Walk::seek(std::string_view after) {
  while (seek_child(after)) {
  }
}

}  // namespace spanwire::store
