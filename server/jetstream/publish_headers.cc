#include "jetstream/publish_headers.h"

#include <charconv>

#include "bus/headers.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view own = "Nats-";
constexpr std::string_view line_start = "\r\nNats-";

// Digits only, as nats-server reads it; anything else is a number that is never reached.
std::optional<std::uint64_t> read_sequence(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return ~std::uint64_t{0};
  return number;
}

bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != word[i]) return false;
  }
  return true;
}

Rollup read_rollup(std::string_view text) {
  if (is_word(text, "sub")) return Rollup::subject;
  if (is_word(text, "all")) return Rollup::all;
  return Rollup::invalid;
}

void keep_first(std::string_view& out, std::string_view value) {
  if (out.empty()) out = value;
}

void keep_first(std::optional<std::uint64_t>& out, std::string_view value) {
  if (!out) out = read_sequence(value);
}

// What follows Nats-Expected-.
void take_expected(std::string_view name, std::string_view value, PublishHeaders& out) {
  if (name == "Stream") {
    keep_first(out.expected_stream, value);
  } else if (name == "Last-Sequence") {
    keep_first(out.expected_last_sequence, value);
  } else if (name == "Last-Subject-Sequence") {
    keep_first(out.expected_last_subject_sequence, value);
  } else if (name == "Last-Subject-Sequence-Subject") {
    keep_first(out.expected_last_subject_sequence_subject, value);
  } else if (name == "Last-Msg-Id") {
    keep_first(out.expected_last_msg_id, value);
  }
}

// What follows Nats-.
void take(std::string_view name, std::string_view value, PublishHeaders& out) {
  constexpr std::string_view expected = "Expected-";
  if (name.starts_with(expected)) {
    take_expected(name.substr(expected.size()), value, out);
  } else if (name == "Msg-Id") {
    keep_first(out.msg_id, value);
  } else if (name == "TTL") {
    keep_first(out.ttl, value);
  } else if (name == "Rollup") {
    keep_first(out.rollup_text, value);
  } else if (name == "Required-Api-Level") {
    keep_first(out.required_api_level, value);
  } else if (name == "Incr") {
    out.has_increment = true;
  } else if (name == "Batch-Id") {
    out.has_batch = true;
  } else if (name == "Schedule") {
    out.has_schedule = true;
  }
}

}  // namespace

PublishHeaders parse_publish_headers(std::string_view block) {
  PublishHeaders out;
  if (block.find(line_start) == std::string_view::npos) return out;
  bus::HeaderLines lines(block);
  for (bus::Header header; lines.next(header);) {
    if (header.value.empty() || !header.name.starts_with(own)) continue;
    take(header.name.substr(own.size()), header.value, out);
  }
  if (!out.rollup_text.empty()) out.rollup = read_rollup(out.rollup_text);
  return out;
}

}  // namespace spanwire::jetstream
