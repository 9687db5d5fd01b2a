// The subject mappings of an account: what its clients publish to one subject goes to another. Data
// that never changes; Interest::set_mappings puts it into force.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ref.h"
#include "base/result.h"
#include "subject/subject.h"
#include "subject/transform.h"

namespace spanwire::bus {

// One line of the configuration. What its destinations leave of a hundred stays with the original
// subject; if that is a destination itself, it is lost, as in nats-server: a way to test losses.
class Mapping {
 public:
  struct Destination {
    std::string_view subject;  // as subject::Transform spells it
    unsigned weight = 100;
  };

  static base::Result<Mapping> make(std::string_view source,
                                    std::span<const Destination> destinations);

  bool applies_to(std::string_view subject) const { return subject::matches(source_, subject); }
  // Whether a subject has one destination, always the same.
  bool is_fixed() const;
  // Appends the destination of a subject that it applies to; `random` chooses among several.
  // Appends nothing for a message that is lost.
  void apply(std::string_view subject, std::uint64_t random, std::string& out) const;

 private:
  struct Share {
    subject::Transform transform;
    std::uint32_t until = 0;  // of a hundred: this share and all before it
  };

  subject::Filter source_;
  std::vector<Share> shares_;
};

// The first that applies counts.
class Mappings : public base::RefCounted<Mappings> {
 public:
  explicit Mappings(std::vector<Mapping> list) : list_(std::move(list)) {}

  const Mapping* find(std::string_view subject) const;
  bool empty() const { return list_.empty(); }

 private:
  const std::vector<Mapping> list_;
};

}  // namespace spanwire::bus
