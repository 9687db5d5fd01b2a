// The children of a trie node by their token: none or one in a single word, more in a hash table.
// Most nodes have one child, and a table costs 100 bytes.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace spanwire::subject {

// Node has a std::string `token`, which does not change while it is in a set.
template <class Node>
class LiteralSet {
 public:
  LiteralSet() = default;
  LiteralSet(LiteralSet&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  LiteralSet& operator=(LiteralSet&&) = delete;
  ~LiteralSet() {
    if (has_table()) {
      delete table();
    } else {
      delete only();
    }
  }

  bool empty() const { return word_ == 0; }

  Node* find(std::string_view token) const {
    if (!has_table()) {
      Node* node = only();
      return node != nullptr && node->token == token ? node : nullptr;
    }
    const auto found = table()->find(token);
    return found == table()->end() ? nullptr : found->get();
  }

  // Its token is not in the set yet.
  void add(std::unique_ptr<Node> node) {
    if (empty()) {
      word_ = reinterpret_cast<std::uintptr_t>(node.release());
      return;
    }
    if (!has_table()) {
      auto made = std::make_unique<Table>();
      made->insert(std::unique_ptr<Node>(only()));
      word_ = reinterpret_cast<std::uintptr_t>(made.release()) | table_bit;
    }
    table()->insert(std::move(node));
  }

  // Destroys a node of the set.
  void remove(Node& node) {
    if (!has_table()) {
      delete only();
      word_ = 0;
      return;
    }
    table()->erase(table()->find(std::string_view(node.token)));
    if (!table()->empty()) return;
    delete table();
    word_ = 0;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const {
      return absl::Hash<std::string_view>{}(token);
    }
    std::size_t operator()(const std::unique_ptr<Node>& node) const {
      return (*this)(std::string_view(node->token));
    }
  };
  struct Equal {
    using is_transparent = void;
    static std::string_view key(std::string_view token) { return token; }
    static std::string_view key(const std::unique_ptr<Node>& node) { return node->token; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) == key(b);
    }
  };
  using Table = absl::flat_hash_set<std::unique_ptr<Node>, Hash, Equal>;
  static constexpr std::uintptr_t table_bit = 1;  // both are aligned to more

  bool has_table() const { return (word_ & table_bit) != 0; }
  Node* only() const { return reinterpret_cast<Node*>(word_); }
  Table* table() const { return reinterpret_cast<Table*>(word_ & ~table_bit); }

  std::uintptr_t word_ = 0;  // null, the only node, or the table with table_bit
};

}  // namespace spanwire::subject
