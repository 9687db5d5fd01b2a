#include "bus/mappings.h"

#include <fmt/format.h>

#include <algorithm>

namespace spanwire::bus {
namespace {

constexpr std::uint32_t whole = 100;

// `a.*.*` as the destination that changes nothing: `a.$1.$2`.
std::string unchanged(std::string_view source) {
  std::string text;
  std::size_t wildcards = 0;
  subject::Tokens tokens(source);
  for (std::string_view token; tokens.next(token);) {
    if (!text.empty()) text += subject::separator;
    if (token == "*") {
      text += fmt::format("${}", ++wildcards);
    } else {
      text += token;
    }
  }
  return text;
}

}  // namespace

base::Result<Mapping> Mapping::make(std::string_view source,
                                    std::span<const Destination> destinations) {
  Mapping made;
  std::uint32_t sum = 0;
  bool keeps_source = false;
  const auto add = [&](std::string_view destination, std::uint32_t weight) -> base::Status {
    auto transform = subject::Transform::parse(source, destination);
    if (!transform) return base::fail(std::move(transform.error()));
    made.source_ = transform->source();
    sum += weight;
    made.shares_.push_back({std::move(*transform), sum});
    return {};
  };
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const auto& [subject, weight] = destinations[i];
    const auto same = [subject = subject](const auto& other) { return other.subject == subject; };
    if (std::any_of(destinations.begin(), destinations.begin() + static_cast<std::ptrdiff_t>(i),
                    same)) {
      return base::fail(fmt::format("duplicate entry for \"{}\": add their weights", subject));
    }
    if (weight > whole) return base::fail("individual weights need to be <= 100");
    if (sum + weight > whole) return base::fail("total weight needs to be <= 100");
    if (subject == source) keeps_source = true;
    if (auto status = add(subject, weight); !status) return tl::unexpected(status.error());
  }
  if (sum < whole && !keeps_source) {
    if (auto status = add(unchanged(source), whole - sum); !status) {
      return tl::unexpected(status.error());
    }
  }
  return made;
}

bool Mapping::is_fixed() const {
  return shares_.size() == 1 && shares_.front().until == whole &&
         shares_.front().transform.is_deterministic();
}

void Mapping::apply(std::string_view subject, std::uint64_t random, std::string& out) const {
  const auto drawn = static_cast<std::uint32_t>(((random >> 32) * whole) >> 32);
  for (const Share& share : shares_) {
    if (drawn < share.until) return share.transform.apply(subject, random, out);
  }
}

const Mapping* Mappings::find(std::string_view subject) const {
  const auto found = std::find_if(list_.begin(), list_.end(), [subject](const Mapping& mapping) {
    return mapping.applies_to(subject);
  });
  return found == list_.end() ? nullptr : &*found;
}

}  // namespace spanwire::bus
