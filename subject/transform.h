// Subject transforms: from the subjects that a filter matches to other subjects, by nats-server's
// rules. For the mappings of an account, stream imports, and a stream's transform and republish.
//
//   orders.*.*   ->   region.$2.{{partition(8,1)}}.{{wildcard(1)}}
#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "subject/filter.h"

namespace spanwire::subject {

enum class TransformUse : std::uint8_t {
  one_way,     // every function, and wildcards may be left out
  reversible,  // for imports: only `$n` and wildcard(n), and each wildcard of the source
};

// A destination is tokens with dots between. A token is text, or one of
//   $n, {{wildcard(n)}}            the n-th `*` of the source; an n below 1 is the first token
//   {{partition(b)}}               a number below b, from the whole subject
//   {{partition(b,n,…)}}           the same from these wildcards
//   {{random(b)}}                  a number below b, drawn for each message
//   {{split(n,text)}}              a token for each part between `text`, or for each character
//   {{splitFromLeft(n,at)}}, {{splitFromRight(n,at)}}
//   {{sliceFromLeft(n,size)}}, {{sliceFromRight(n,size)}}
//   {{left(n,size)}}, {{right(n,size)}}
// and a `>` at the end, if and only if the source ends so. Never changes once it is made, so any
// thread may use it.
class Transform {
 public:
  // The error is one line for a person, and begins as nats-server's does.
  static tl::expected<Transform, std::string> parse(std::string_view source,
                                                    std::string_view destination,
                                                    TransformUse use = TransformUse::one_way);

  const Filter& source() const { return source_; }
  const std::string& destination() const { return destination_; }
  // Whether the same subject always becomes the same: no random().
  bool is_deterministic() const { return deterministic_; }

  // Appends what `subject`, which the source matches, becomes. `random` decides random(). The
  // result may have an empty token, of a split that leaves nothing: then nobody can be reached.
  void apply(std::string_view subject, std::uint64_t random, std::string& out) const;

  // The way back, of a reversible one. image() matches every subject that comes out; origin() is
  // the filter of the subjects that become one of `narrow`, which must be covered by image(), or
  // nothing if there is none (`a.$1.$1` never becomes `a.x.y`).
  Filter image() const;
  std::optional<Filter> origin(const Filter& narrow) const;

 private:
  enum class Function : std::uint8_t {
    text,
    tail,
    wildcard,
    partition,
    random,
    split,
    split_left,
    split_right,
    slice_left,
    slice_right,
    left,
    right,
  };
  struct Piece {
    Function function = Function::text;
    std::int32_t number = 0;
    std::string text;                              // of a text, or between the parts of a split
    absl::InlinedVector<std::uint32_t, 2> tokens;  // of the subject, from 0
  };
  struct Arguments;
  struct Parser;

  static void append(const Piece& piece, std::string_view subject, std::string& out);
  static void append_of_token(const Piece& piece, std::string_view token, std::string& out);

  Filter source_;
  std::string destination_;
  std::vector<Piece> pieces_;
  bool deterministic_ = true;
};

}  // namespace spanwire::subject
