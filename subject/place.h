// Where a filter stands in the index: a node of the trie, known by its token and its parent.
#pragma once

#include <string>

#include "subject/filter.h"

namespace spanwire::subject {

// Token, kind and parent never change while the node lives, so that the filter of a place may be
// read beside a writer.
struct Place {
  enum class Root : std::uint8_t { no, all, hidden };  // hidden: filters that do not see `$…`

  std::string token;  // of a literal
  Place* parent = nullptr;
  TokenKind kind = TokenKind::literal;
  Root root = Root::no;
};

// The filter that was entered here.
Filter filter_at(const Place& place);

}  // namespace spanwire::subject
