// Subjects and filters: the first line of the input is a subject, each other line a filter. The
// index must find exactly the filters that match by definition, and forget those that it erased.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "subject/filter.h"
#include "subject/index.h"

using namespace spanwire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view subject = take_line(text);
  std::vector<subject::Filter> filters;
  subject::Index<int> index;
  while (!text.empty()) {
    const auto filter = subject::parse_nats_filter(take_line(text), {.plus_is_one = true});
    if (!filter) continue;
    require(subject::covers(*filter, *filter));
    if (!filters.empty()) {
      const subject::Filter& last = filters.back();
      const auto both = subject::overlap(last, *filter);
      require((both && subject::matches(*both, subject)) ==
              (subject::matches(last, subject) && subject::matches(*filter, subject)));
    }
    if (index.insert(*filter)++ == 0) filters.push_back(*filter);
  }
  require(index.size() == filters.size());

  std::size_t found = 0;
  index.match(subject, [&](const int&) { ++found; });
  const auto matching = std::count_if(filters.begin(), filters.end(), [&](const auto& filter) {
    return subject::matches(filter, subject);
  });
  require(found == static_cast<std::size_t>(matching));

  for (const subject::Filter& filter : filters) require(index.erase(filter));
  require(index.size() == 0);
  return 0;
}
