#include "bridges/http_broker/codec.h"

#include <algorithm>
#include <array>

namespace spanwire::http_broker {
namespace {

using Bytes = std::array<bool, 256>;

constexpr Bytes make_topic_bytes() {
  Bytes set{};
  for (int c = '0'; c <= '9'; ++c) set[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) set[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) set[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view(".,:;-_$/+#")) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr Bytes topic_bytes = make_topic_bytes();

char translated(char c) {
  if (c == '@') return '#';
  return c == '*' ? '+' : c;
}

}  // namespace

Read<std::string_view> read_topic(std::string_view path, std::size_t max_characters,
                                  std::string& topic) {
  using Refused = tl::unexpected<std::string_view>;
  if (path.empty()) return Refused("there is no topic behind /broker/");
  // Of what is allowed every character is a byte.
  if (path.size() > max_characters) return Refused("the topic has too many characters");
  topic.resize(path.size());
  std::transform(path.begin(), path.end(), topic.begin(), translated);
  const bool allowed = std::all_of(topic.begin(), topic.end(), [](char c) {
    return topic_bytes[static_cast<unsigned char>(c)];
  });
  if (!allowed) return Refused("a topic has letters, digits and .,:;-_$/+# only");
  return topic;
}

Read<Options> read_options(const http::Query& query) {
  using Refused = tl::unexpected<std::string_view>;
  Options options;
  if (const auto retained = query.find("retained")) {
    options.retained = *retained == "true";
    if (!options.retained && *retained != "false") {
      return Refused("retained is neither true nor false");
    }
  }
  if (const auto qos = query.find("qos")) {
    if (qos->size() != 1 || qos->front() < '0' || qos->front() > '2') {
      return Refused("qos is not 0, 1 or 2");
    }
    options.qos = static_cast<std::uint8_t>(qos->front() - '0');
  }
  return options;
}

}  // namespace spanwire::http_broker
