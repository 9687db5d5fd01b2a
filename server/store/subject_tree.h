// The subjects of a log: a radix tree from a subject's text to a number. Nodes lie in pages of a
// few KiB and name one another with 32 bits, so a million keys that differ in their last digits
// take some 30 bytes each. A number gives its text back by walking up.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "subject/filter.h"

namespace spanwire::store {

using SubjectId = std::uint32_t;
inline constexpr SubjectId no_subject = 0xffff'ffff;

class SubjectTree {
 public:
  class Walk;

  // Gives this subject, which must not be empty, this id; returns the one that it has if it is in
  // the tree already. The caller chooses small ids: there is a table.
  SubjectId insert(std::string_view text, SubjectId id);
  SubjectId find(std::string_view text) const;
  void erase(SubjectId id);
  // The text of an id that is in the tree, into `out`.
  void text_of(SubjectId id, std::string& out) const;

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const;

 private:
  // A node's place: its page and the unit of four bytes in it. 0 is none.
  using Ref = std::uint32_t;
  static constexpr std::uint32_t page_units = 1024;
  static constexpr std::uint32_t max_prefix = 255;
  static constexpr std::uint32_t exact_classes = 32;  // larger blocks come in steps of eight units

  // What stands at the front of a node; behind it the first bytes of its children in order (not
  // with room for 256: there each byte has its child), `length` bytes of text, and the children.
  struct Node {
    Ref parent;
    SubjectId id;
    std::uint16_t count;
    std::uint8_t rooms;  // which of room_of()
    std::uint8_t length;
  };
  static constexpr std::uint32_t node_units = sizeof(Node) / 4;

  static std::uint32_t room_of(std::uint8_t rooms);
  static std::uint8_t rooms_for(std::uint32_t count);
  static std::uint32_t units_of(std::uint8_t rooms, std::size_t length);
  static std::uint32_t class_of(std::uint32_t units);

  std::uint32_t* at(Ref ref) const { return &pages_[ref / page_units][ref % page_units]; }
  Node& node(Ref ref) const { return *reinterpret_cast<Node*>(at(ref)); }
  Ref* children(Ref ref) const;
  unsigned char* keys(Ref ref) const;
  std::string_view text(Ref ref) const;
  // Where the child for this byte is named; null: there is none.
  Ref* child_slot(Ref ref, unsigned char byte) const;

  Ref allocate(std::uint32_t units);
  void put_free(Ref ref, std::uint32_t units);
  Ref make(Ref parent, std::string_view text, std::uint8_t rooms);
  void free_node(Ref ref);
  // The node again, with other text or room; its parent still names the old one.
  Ref copy(Ref ref, std::string_view text, std::uint8_t rooms);
  // Gives the node other room; returns where it is now.
  Ref resize(Ref ref, std::uint8_t rooms);
  Ref add_child(Ref parent, Ref child);
  void remove_child(Ref parent, Ref child);
  // Makes a node that ends after `length` bytes of this one's text, above it.
  Ref split(Ref ref, std::size_t length);
  void join_with_child(Ref ref);
  void set_id(Ref ref, SubjectId id);
  // Hangs the rest of a subject below a node.
  void grow(Ref below, std::string_view rest, SubjectId id);

  std::vector<std::unique_ptr<std::uint32_t[]>> pages_;
  std::uint32_t page_used_ = page_units;
  std::array<Ref, 72> free_{};
  std::vector<Ref> node_of_;  // by id
  Ref root_ = 0;
  std::size_t size_ = 0;
};

// Visits subjects in the order of their bytes, from behind `after` on; of a filter only those that
// it matches, without entering branches that it cannot match. Any change of the tree ends it.
class SubjectTree::Walk {
 public:
  enum class Step : std::uint8_t {
    found,   // text() and id()
    paused,  // the budget is used up: everything up to text() was visited
    end,
  };

  // `filter` may be null: every subject. It must stay.
  Walk(const SubjectTree& tree, const subject::Filter* filter, std::string_view after);
  // Takes one from the budget for each node; enters at least one, whatever is left of it.
  Step next(std::size_t& budget);
  std::string_view text() const { return text_; }
  SubjectId id() const { return id_; }

 private:
  // How far a text has come in the filter.
  struct Spot {
    std::uint32_t token = 0;
    std::uint32_t offset = 0;  // in a literal
    bool rest = false;         // whatever follows is fine
  };
  struct Level {
    Ref ref = 0;
    std::uint32_t text_bytes = 0;  // before this node
    Spot spot;
    std::uint16_t next = 0;  // of its children
  };

  bool begin_token(Spot& spot) const;
  bool advance(Spot& spot, std::string_view bytes) const;
  bool accepts(const Spot& spot) const;
  // The only byte that can follow; -1: several can.
  int expected(const Spot& spot) const;
  Ref next_child(Level& level) const;
  bool enter(Ref ref);
  void seek(std::string_view after);
  // One node further towards `rest`; false: the walk begins here.
  bool seek_child(std::string_view& rest);

  const SubjectTree& tree_;
  const subject::Filter* filter_;
  std::vector<Level> levels_;
  std::string text_;
  SubjectId id_ = no_subject;
};

}  // namespace spanwire::store
