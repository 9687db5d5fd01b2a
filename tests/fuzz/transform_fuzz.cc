// Subject transforms: the first line is the source, the second the destination, the third a
// subject. What can be made is applied; what can be turned round must find its way back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "subject/subject.h"
#include "subject/transform.h"

using namespace spanwire;
using subject::Transform;
using subject::TransformUse;

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
  const std::string_view source = take_line(text);
  const std::string_view destination = take_line(text);
  const std::string_view subject = take_line(text);
  const auto made = Transform::parse(source, destination);
  const auto there_and_back = Transform::parse(source, destination, TransformUse::reversible);
  require(made || !there_and_back);
  if (!made) {
    require(!made.error().empty());
    return 0;
  }
  if (!subject::is_well_formed(subject) || !subject::matches(made->source(), subject)) return 0;
  std::string out = "front ";
  made->apply(subject, 7, out);
  require(out.starts_with("front "));
  std::string again;
  made->apply(subject, made->is_deterministic() ? 8 : 7, again);
  require(out.substr(6) == again);
  require(!subject::is_safe(subject) || subject::is_safe(again));
  if (!there_and_back) return 0;
  require(subject::is_well_formed(again));
  require(subject::matches(there_and_back->image(), again));
  const auto origin = there_and_back->origin(subject::literal_filter(again));
  require(origin && subject::matches(*origin, subject));
  const auto all = there_and_back->origin(there_and_back->image());
  require(all && subject::matches(*all, subject));
  return 0;
}
