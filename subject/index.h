// The subject index: a trie from filters to values, walked by the tokens of a subject.
//
// Not synchronised: its owner lets many read or one write (bus/interest.h). Values keep their
// address until their filter is erased. A lookup costs one hash probe for each token and each
// wildcard branch that the subject meets; recursion is as deep as a filter has tokens, which
// max_filter_tokens bounds.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "subject/filter.h"
#include "subject/subject.h"

namespace spanwire::subject {

template <class Value>
class Index {
 public:
  // The value at this filter, made empty if it is new.
  Value& insert(const Filter& filter) {
    Node* node = root_of(filter);
    for (std::size_t i = 0; i < filter.size(); ++i) node = node->enter(filter[i]);
    if (node->value == nullptr) {
      node->value = std::make_unique<Value>();
      ++size_;
      if (filter.has_any()) ++filters_with_any_;
    }
    return *node->value;
  }

  Value* find(const Filter& filter) {
    Node* node = root_of(filter);
    for (std::size_t i = 0; i < filter.size() && node != nullptr; ++i)
      node = node->child(filter[i]);
    return node == nullptr ? nullptr : node->value.get();
  }

  // Removes the value and the branches that only it needed. False if there was none.
  bool erase(const Filter& filter) {
    if (!erase_below(*root_of(filter), filter, 0)) return false;
    --size_;
    if (filter.has_any()) --filters_with_any_;
    return true;
  }

  // Calls visit(Value&) once for each filter that matches the subject.
  template <class Visit>
  void match(std::string_view subject, Visit&& visit) const {
    std::vector<Value*> seen;  // only filters with `any` can be reached by two paths
    const auto once = [&](const Node& node) {
      if (node.value == nullptr) return;
      if (filters_with_any_ != 0) {
        if (std::find(seen.begin(), seen.end(), node.value.get()) != seen.end()) return;
        seen.push_back(node.value.get());
      }
      visit(*node.value);
    };
    walk(root_, subject, true, once);
    if (!subject.starts_with('$')) walk(hidden_root_, subject, true, once);
  }

  // Calls visit(Value&) for every filter, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit_all(root_, visit);
    visit_all(hidden_root_, visit);
  }

  std::size_t size() const { return size_; }

 private:
  struct Node;
  struct NodeHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const {
      return absl::Hash<std::string_view>{}(token);
    }
    std::size_t operator()(const std::unique_ptr<Node>& node) const { return (*this)(node->token); }
  };
  struct NodeEqual {
    using is_transparent = void;
    static std::string_view key(std::string_view token) { return token; }
    static std::string_view key(const std::unique_ptr<Node>& node) { return node->token; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) == key(b);
    }
  };
  using Children = absl::flat_hash_set<std::unique_ptr<Node>, NodeHash, NodeEqual>;
  struct Wildcards {
    std::unique_ptr<Node> one, tail, tail_or_here, any;
    std::unique_ptr<Node>& of(TokenKind kind) {
      switch (kind) {
        case TokenKind::tail:
          return tail;
        case TokenKind::tail_or_here:
          return tail_or_here;
        case TokenKind::any:
          return any;
        default:
          return one;
      }
    }
    bool empty() const { return !one && !tail && !tail_or_here && !any; }
  };

  struct Node {
    std::string token;
    std::unique_ptr<Value> value;
    std::unique_ptr<Children> literals;
    std::unique_ptr<Wildcards> wildcards;

    bool unused() const { return !value && !literals && !wildcards; }

    Node* child(const FilterToken& key) {
      if (key.kind != TokenKind::literal) {
        return wildcards == nullptr ? nullptr : wildcards->of(key.kind).get();
      }
      return literal(key.text);
    }
    Node* literal(std::string_view text) const {
      if (literals == nullptr) return nullptr;
      const auto found = literals->find(text);
      return found == literals->end() ? nullptr : found->get();
    }
    Node* enter(const FilterToken& key) {
      if (Node* found = child(key)) return found;
      auto made = std::make_unique<Node>();
      Node* node = made.get();
      if (key.kind == TokenKind::literal) {
        made->token = key.text;
        if (literals == nullptr) literals = std::make_unique<Children>();
        literals->insert(std::move(made));
      } else {
        if (wildcards == nullptr) wildcards = std::make_unique<Wildcards>();
        wildcards->of(key.kind) = std::move(made);
      }
      return node;
    }
    void drop(const FilterToken& key) {
      if (key.kind == TokenKind::literal) {
        literals->erase(literals->find(key.text));
        if (literals->empty()) literals.reset();
      } else {
        wildcards->of(key.kind).reset();
        if (wildcards->empty()) wildcards.reset();
      }
    }
  };

  Node* root_of(const Filter& filter) { return filter.not_dollar() ? &hidden_root_ : &root_; }

  bool erase_below(Node& node, const Filter& filter, std::size_t at) {
    if (at == filter.size()) {
      if (node.value == nullptr) return false;
      node.value.reset();
      return true;
    }
    Node* next = node.child(filter[at]);
    if (next == nullptr || !erase_below(*next, filter, at + 1)) return false;
    if (next->unused()) node.drop(filter[at]);
    return true;
  }

  template <class Once>
  void walk(const Node& start, std::string_view rest, bool left, const Once& once) const {
    const Node* node = &start;
    while (true) {
      const std::size_t dot = left ? rest.find(separator) : std::string_view::npos;
      const bool more = dot != std::string_view::npos;
      const std::string_view after = more ? rest.substr(dot + 1) : std::string_view();
      if (node->wildcards != nullptr) {
        const Wildcards& wild = *node->wildcards;
        if (wild.tail != nullptr && left) once(*wild.tail);
        if (wild.tail_or_here != nullptr) once(*wild.tail_or_here);
        if (wild.one != nullptr && left) walk(*wild.one, after, more, once);
        if (wild.any != nullptr) walk_any(*wild.any, rest, left, once);
      }
      if (!left) {
        once(*node);
        return;
      }
      node = node->literal(rest.substr(0, dot));
      if (node == nullptr) return;
      rest = after;
      left = more;
    }
  }

  // Below an `any`: it takes none, one, two … tokens of what is left.
  template <class Once>
  void walk_any(const Node& node, std::string_view rest, bool left, const Once& once) const {
    while (true) {
      walk(node, rest, left, once);
      if (!left) return;
      const std::size_t dot = rest.find(separator);
      left = dot != std::string_view::npos;
      rest = left ? rest.substr(dot + 1) : std::string_view();
    }
  }

  template <class Visit>
  static void visit_all(const Node& node, Visit& visit) {
    if (node.value != nullptr) visit(*node.value);
    if (node.literals != nullptr) {
      for (const auto& child : *node.literals) visit_all(*child, visit);
    }
    if (node.wildcards != nullptr) {
      for (const Node* child : {node.wildcards->one.get(), node.wildcards->tail.get(),
                                node.wildcards->tail_or_here.get(), node.wildcards->any.get()}) {
        if (child != nullptr) visit_all(*child, visit);
      }
    }
  }

  Node root_;
  Node hidden_root_;  // filters that do not see subjects beginning with `$`
  std::size_t size_ = 0;
  std::size_t filters_with_any_ = 0;
};

}  // namespace spanwire::subject
