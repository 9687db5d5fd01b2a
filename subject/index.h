// The subject index: a trie from filters to values, walked by the tokens of a subject.
//
// Not synchronised: its owner lets many read or one write (bus/interest.h). Values keep their
// address until their filter is erased. A lookup costs one hash probe for each token and each
// wildcard branch that the subject meets; recursion is as deep as a filter has tokens, which
// max_filter_tokens bounds.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "subject/filter.h"
#include "subject/literal_set.h"
#include "subject/place.h"
#include "subject/subject.h"

namespace spanwire::subject {

template <class Value>
class Index {
 public:
  // The place of this filter, made if it is new; it then has an empty value. A place lives until it
  // is erased.
  Place& enter(const Filter& filter) {
    Node* node = filter.not_dollar() ? &hidden_root_ : &root_;
    for (std::size_t i = 0; i < filter.size(); ++i) node = &node->enter(filter[i]);
    if (node->value == nullptr) {
      node->value = std::make_unique<Value>();
      ++size_;
      if (filter.has_any()) ++filters_with_any_;
    }
    return *node;
  }
  static Value& at(Place& place) { return *static_cast<Node&>(place).value; }
  // The value at this filter, made empty if it is new.
  Value& insert(const Filter& filter) { return at(enter(filter)); }

  // The value at the filter that is this literal subject; null: there is none.
  const Value* find_literal(std::string_view subject) const {
    for (const Node* root : {&root_, &hidden_root_}) {
      const Node* node = root;
      for (std::size_t at = 0; node != nullptr && at <= subject.size();) {
        const std::size_t dot = std::min(subject.find(separator, at), subject.size());
        node = node->literals.find(subject.substr(at, dot - at));
        at = dot + 1;
      }
      if (node != nullptr && node->value != nullptr) return node->value.get();
    }
    return nullptr;
  }

  // Removes the value and the branches that only it needed.
  void erase(Place& place) {
    auto* node = static_cast<Node*>(&place);
    node->value.reset();
    --size_;
    if (has_any(*node)) --filters_with_any_;
    while (node->root == Place::Root::no && node->unused()) {
      auto* parent = static_cast<Node*>(node->parent);
      parent->drop(*node);
      node = parent;
    }
  }
  // The same; false if the filter is not here.
  bool erase(const Filter& filter) {
    Node* node = filter.not_dollar() ? &hidden_root_ : &root_;
    for (std::size_t i = 0; i < filter.size() && node != nullptr; ++i) {
      node = node->child(filter[i]);
    }
    if (node == nullptr || node->value == nullptr) return false;
    erase(*node);
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

  std::size_t size() const { return size_; }

 private:
  struct Node;
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

  struct Node : Place {
    std::unique_ptr<Value> value;
    LiteralSet<Node> literals;
    std::unique_ptr<Wildcards> wildcards;

    bool unused() const { return !value && literals.empty() && !wildcards; }

    Node* child(const FilterToken& key) const {
      if (key.kind == TokenKind::literal) return literals.find(key.text);
      return wildcards == nullptr ? nullptr : wildcards->of(key.kind).get();
    }
    Node& enter(const FilterToken& key) {
      if (Node* found = child(key)) return *found;
      auto made = std::make_unique<Node>();
      Node& node = *made;
      node.parent = this;
      node.kind = key.kind;
      if (key.kind == TokenKind::literal) {
        node.token = key.text;
        literals.add(std::move(made));
      } else {
        if (wildcards == nullptr) wildcards = std::make_unique<Wildcards>();
        wildcards->of(key.kind) = std::move(made);
      }
      return node;
    }
    void drop(Node& node) {
      if (node.kind == TokenKind::literal) return literals.remove(node);
      wildcards->of(node.kind).reset();
      if (wildcards->empty()) wildcards.reset();
    }
  };

  static bool has_any(const Place& place) {
    for (const Place* at = &place; at->root == Place::Root::no; at = at->parent) {
      if (at->kind == TokenKind::any) return true;
    }
    return false;
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
      node = node->literals.find(rest.substr(0, dot));
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

  static Node make_root(Place::Root root) {
    Node node;
    node.root = root;
    return node;
  }

  Node root_ = make_root(Place::Root::all);
  Node hidden_root_ = make_root(Place::Root::hidden);
  std::size_t size_ = 0;
  std::size_t filters_with_any_ = 0;
};

}  // namespace spanwire::subject
