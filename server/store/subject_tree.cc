#include "store/subject_tree.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace spanwire::store {
namespace {

constexpr std::array<std::uint16_t, 9> rooms_table = {0, 1, 2, 4, 8, 16, 32, 64, 256};
constexpr std::uint8_t direct = 8;  // 256: a child's place is its byte

std::size_t common_bytes(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

unsigned char first_byte(std::string_view text) {
  return static_cast<unsigned char>(text[0]);
}

}  // namespace

std::uint32_t SubjectTree::room_of(std::uint8_t rooms) {
  return rooms_table[rooms];
}

std::uint8_t SubjectTree::rooms_for(std::uint32_t count) {
  std::uint8_t rooms = 0;
  while (rooms_table[rooms] < count) ++rooms;
  return rooms;
}

std::uint32_t SubjectTree::units_of(std::uint8_t rooms, std::size_t length) {
  const std::size_t key_bytes = rooms == direct ? 0 : room_of(rooms);
  return node_units + room_of(rooms) + static_cast<std::uint32_t>((key_bytes + length + 3) / 4);
}

std::uint32_t SubjectTree::class_of(std::uint32_t units) {
  return units <= exact_classes ? units : exact_classes + (units - exact_classes + 7) / 8;
}

unsigned char* SubjectTree::keys(Ref ref) const {
  return reinterpret_cast<unsigned char*>(at(ref) + node_units);
}

std::string_view SubjectTree::text(Ref ref) const {
  const Node& it = node(ref);
  const std::size_t key_bytes = it.rooms == direct ? 0 : room_of(it.rooms);
  return {reinterpret_cast<const char*>(keys(ref)) + key_bytes, it.length};
}

SubjectTree::Ref* SubjectTree::children(Ref ref) const {
  const Node& it = node(ref);
  return at(ref) + units_of(it.rooms, it.length) - room_of(it.rooms);
}

SubjectTree::Ref* SubjectTree::child_slot(Ref ref, unsigned char byte) const {
  const Node& it = node(ref);
  if (it.rooms == direct) {
    Ref* slot = children(ref) + byte;
    return *slot == 0 ? nullptr : slot;
  }
  if (it.count == 0) return nullptr;
  const unsigned char* first = keys(ref);
  const void* found = std::memchr(first, byte, it.count);
  if (found == nullptr) return nullptr;
  return children(ref) + (static_cast<const unsigned char*>(found) - first);
}

void SubjectTree::put_free(Ref ref, std::uint32_t units) {
  *at(ref) = free_[class_of(units)];
  free_[class_of(units)] = ref;
}

SubjectTree::Ref SubjectTree::allocate(std::uint32_t units) {
  const std::uint32_t size_class = class_of(units);
  if (size_class > exact_classes) units = exact_classes + (size_class - exact_classes) * 8;
  if (const Ref ref = free_[size_class]; ref != 0) {
    free_[size_class] = *at(ref);
    return ref;
  }
  if (page_used_ + units > page_units) {
    // What is left of the page serves the smaller ones.
    const std::uint32_t left = page_units - page_used_;
    if (left >= node_units && left <= exact_classes) {
      put_free(static_cast<Ref>((pages_.size() - 1) * page_units + page_used_), left);
    }
    BASE_ASSERT(pages_.size() < (std::size_t{1} << 32) / page_units);
    pages_.push_back(std::make_unique_for_overwrite<std::uint32_t[]>(page_units));
    page_used_ = pages_.size() == 1 ? 1 : 0;  // 0 is none
  }
  const auto ref = static_cast<Ref>((pages_.size() - 1) * page_units + page_used_);
  page_used_ += units;
  return ref;
}

void SubjectTree::free_node(Ref ref) {
  const Node& it = node(ref);
  put_free(ref, units_of(it.rooms, it.length));
}

SubjectTree::Ref SubjectTree::make(Ref parent, std::string_view text, std::uint8_t rooms) {
  const Ref ref = allocate(units_of(rooms, text.size()));
  node(ref) = {.parent = parent,
               .id = no_subject,
               .count = 0,
               .rooms = rooms,
               .length = static_cast<std::uint8_t>(text.size())};
  if (rooms == direct) std::fill_n(children(ref), room_of(direct), Ref{0});
  if (!text.empty()) {
    std::memcpy(const_cast<char*>(this->text(ref).data()), text.data(), text.size());
  }
  return ref;
}

SubjectTree::Ref SubjectTree::copy(Ref ref, std::string_view text, std::uint8_t rooms) {
  const Node old = node(ref);
  const Ref now = make(old.parent, text, rooms);
  node(now).count = old.count;
  const std::uint32_t places = old.rooms == direct ? room_of(direct) : old.count;
  std::uint32_t filled = 0;
  for (std::uint32_t place = 0; place < places; ++place) {
    const Ref child = children(ref)[place];
    if (child == 0) continue;
    const unsigned char byte = first_byte(this->text(child));
    children(now)[rooms == direct ? byte : filled] = child;
    if (rooms != direct) keys(now)[filled] = byte;
    ++filled;
    node(child).parent = now;
  }
  if (old.id != no_subject) set_id(now, old.id);
  return now;
}

SubjectTree::Ref SubjectTree::resize(Ref ref, std::uint8_t rooms) {
  const Ref now = copy(ref, text(ref), rooms);
  if (const Ref parent = node(ref).parent; parent != 0) {
    *child_slot(parent, first_byte(text(now))) = now;
  } else {
    root_ = now;
  }
  free_node(ref);
  return now;
}

SubjectTree::Ref SubjectTree::add_child(Ref parent, Ref child) {
  if (const Node& it = node(parent); it.count == room_of(it.rooms)) {
    parent = resize(parent, rooms_for(it.count + 1U));
  }
  const unsigned char byte = first_byte(text(child));
  Node& it = node(parent);
  Ref* refs = children(parent);
  node(child).parent = parent;
  if (it.rooms == direct) {
    refs[byte] = child;
  } else {
    unsigned char* bytes = keys(parent);
    const auto place = std::upper_bound(bytes, bytes + it.count, byte) - bytes;
    std::copy_backward(bytes + place, bytes + it.count, bytes + it.count + 1);
    std::copy_backward(refs + place, refs + it.count, refs + it.count + 1);
    bytes[place] = byte;
    refs[place] = child;
  }
  ++it.count;
  return parent;
}

void SubjectTree::remove_child(Ref parent, Ref child) {
  Node& it = node(parent);
  Ref* slot = child_slot(parent, first_byte(text(child)));
  if (it.rooms == direct) {
    *slot = 0;
  } else {
    const auto place = slot - children(parent);
    std::copy(slot + 1, children(parent) + it.count, slot);
    unsigned char* bytes = keys(parent);
    std::copy(bytes + place + 1, bytes + it.count, bytes + place);
  }
  --it.count;
  free_node(child);
}

SubjectTree::Ref SubjectTree::split(Ref ref, std::size_t length) {
  const std::string_view whole = text(ref);
  const Ref parent = node(ref).parent;
  const Ref above = make(parent, whole.substr(0, length), rooms_for(2));
  *child_slot(parent, first_byte(whole)) = above;
  const Ref below = copy(ref, whole.substr(length), node(ref).rooms);
  free_node(ref);
  add_child(above, below);
  return above;
}

void SubjectTree::set_id(Ref ref, SubjectId id) {
  node(ref).id = id;
  node_of_[id] = ref;
}

void SubjectTree::grow(Ref below, std::string_view rest, SubjectId id) {
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, max_prefix);
    rest.remove_prefix(piece.size());
    const Ref child = make(0, piece, rooms_for(rest.empty() ? 0 : 1));
    add_child(below, child);
    below = child;
  }
  set_id(below, id);
}

SubjectId SubjectTree::insert(std::string_view text, SubjectId id) {
  BASE_ASSERT(!text.empty());
  BASE_ASSERT(id != no_subject);
  if (root_ == 0) root_ = make(0, {}, rooms_for(1));
  Ref ref = root_;
  while (!text.empty()) {
    const Ref* slot = child_slot(ref, first_byte(text));
    if (slot == nullptr) break;
    const Ref child = *slot;
    const std::string_view own = this->text(child);
    const std::size_t same = common_bytes(own, text);
    ref = same == own.size() ? child : split(child, same);
    text.remove_prefix(same);
  }
  if (text.empty() && node(ref).id != no_subject) return node(ref).id;
  if (id >= node_of_.size()) node_of_.resize(id + 1U);
  ++size_;
  grow(ref, text, id);
  return id;
}

SubjectId SubjectTree::find(std::string_view text) const {
  if (root_ == 0 || text.empty()) return no_subject;
  Ref ref = root_;
  while (!text.empty()) {
    const Ref* slot = child_slot(ref, first_byte(text));
    if (slot == nullptr) return no_subject;
    ref = *slot;
    const std::string_view own = this->text(ref);
    if (!text.starts_with(own)) return no_subject;
    text.remove_prefix(own.size());
  }
  return node(ref).id;
}

void SubjectTree::join_with_child(Ref ref) {
  const Node& it = node(ref);
  const auto place = it.rooms == direct
                         ? std::find_if(children(ref), children(ref) + room_of(direct),
                                        [](Ref child) { return child != 0; }) -
                               children(ref)
                         : 0;
  const Ref child = children(ref)[place];
  const std::size_t length = std::size_t{it.length} + node(child).length;
  if (length > max_prefix) return;
  std::array<char, max_prefix> joined;
  std::copy_n(text(ref).data(), it.length, joined.data());
  std::copy_n(text(child).data(), node(child).length, joined.data() + it.length);
  const Ref now = copy(child, {joined.data(), length}, node(child).rooms);
  node(now).parent = it.parent;
  *child_slot(it.parent, first_byte({joined.data(), length})) = now;
  free_node(child);
  free_node(ref);
}

void SubjectTree::erase(SubjectId id) {
  Ref ref = node_of_[id];
  BASE_ASSERT(ref != 0);
  BASE_ASSERT(node(ref).id == id);
  node(ref).id = no_subject;
  node_of_[id] = 0;
  if (--size_ == 0) {
    pages_.clear();
    pages_.shrink_to_fit();
    node_of_ = std::vector<Ref>();
    free_ = {};
    page_used_ = page_units;
    root_ = 0;
    return;
  }
  while (ref != root_ && node(ref).count == 0 && node(ref).id == no_subject) {
    const Ref parent = node(ref).parent;
    remove_child(parent, ref);
    ref = parent;
  }
  if (ref == root_) return;
  const Node& it = node(ref);
  if (it.count == 1 && it.id == no_subject) {
    join_with_child(ref);
  } else if (it.count < room_of(it.rooms) / 4) {
    resize(ref, rooms_for(it.count));
  }
}

void SubjectTree::text_of(SubjectId id, std::string& out) const {
  BASE_ASSERT(id < node_of_.size() && node_of_[id] != 0);
  std::size_t size = 0;
  for (Ref ref = node_of_[id]; ref != 0; ref = node(ref).parent) size += node(ref).length;
  out.resize(size);
  for (Ref ref = node_of_[id]; ref != 0; ref = node(ref).parent) {
    const std::string_view own = text(ref);
    size -= own.size();
    std::copy(own.begin(), own.end(), out.begin() + static_cast<std::ptrdiff_t>(size));
  }
}

std::size_t SubjectTree::memory_bytes() const {
  return pages_.size() * page_units * 4 + pages_.capacity() * sizeof(pages_[0]) +
         node_of_.capacity() * sizeof(Ref);
}

}  // namespace spanwire::store
