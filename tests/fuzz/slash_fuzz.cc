// The slash family: the input is read as a topic, as a subject and as a filter. What is taken comes
// back unchanged, and a filter without wildcards reaches its own topic.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "subject/slash.h"
#include "subject/subject.h"

using namespace spanwire;
using subject::Slash;
using subject::Spelling;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_topic(std::string_view topic) {
  std::string text;
  const auto result = subject::topic_to_subject(topic, text);
  require(result.status == Slash::ok || result.status == Slash::empty ||
          result.offset < topic.size());
  if (result.status != Slash::ok) return require(text.empty());
  require(subject::is_valid_topic_name(topic));
  require(subject::is_literal(text) && subject::is_safe(text));
  std::string back;
  require(subject::subject_to_topic(text, back) == Spelling::ok);
  require(back == topic);
  const auto filter = subject::parse_topic_filter(topic);
  if (filter) require(filter->is_literal() && filter->literal_text() == text);
}

void read_subject(std::string_view text) {
  std::string topic;
  if (subject::subject_to_topic(text, topic) != Spelling::ok) return require(topic.empty());
  std::string back;
  require(subject::topic_to_subject(topic, back).status == Slash::ok);
  require(back == text);
}

void read_filter(std::string_view text) {
  const auto filter = subject::parse_topic_filter(text);
  if (!filter) return;
  require(subject::is_valid_topic_filter(text));
  require(filter->size() == subject::token_count(filter->to_string()));
  require(subject::covers(*filter, *filter));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_topic(input);
  read_subject(input);
  read_filter(input);
  return 0;
}
