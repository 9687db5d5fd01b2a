// The small texts of JetStream: acknowledgements and their subjects, pull requests, times, headers.
// Whatever the bytes, views stay inside the input, and what can be written again reads the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jetstream/ack.h"
#include "jetstream/ack_subject.h"
#include "jetstream/go_json.h"
#include "jetstream/go_time.h"
#include "jetstream/publish_headers.h"
#include "jetstream/pull_request.h"
#include "jetstream/subjects.h"

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_json_values(std::string_view text) {
  GoJsonValues values(text);
  std::string_view value;
  std::string error;
  std::size_t taken = 0;
  while (values.next(value, error) == GoJsonValues::Next::value) {
    taken += value.size();
    require(!value.empty() && taken <= text.size());
    require(!check_json(value));
  }
}

void check_ack(std::string_view text) {
  const Ack ack = parse_ack(text);
  require(ack.text.size() <= text.size());
  require(!(ack.delay && ack.bad_delay));
  const auto parsed = parse_ack_subject(text);
  if (!parsed) return;
  AckSubject subject(parsed->stream, parsed->consumer);
  const std::string written(subject.write(parsed->delivery));
  const auto again = parse_ack_subject(written);
  require(again && again->delivery == parsed->delivery);
  require(again->stream == parsed->stream && again->consumer == parsed->consumer);
}

void check_times(std::string_view text) {
  if (const auto duration = parse_go_duration(text)) {
    require(parse_go_duration(go_duration_text(*duration)) == duration);
  }
  parse_rfc3339(text);
  const MessageTtl ttl = parse_message_ttl(text);
  require(ttl.seconds >= 0 && ttl.seconds <= max_ttl_seconds);
}

void check_subjects(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view one = text.substr(0, space);
  const std::string_view other = text.substr(space + 1);
  if (!is_valid_subject(one) || !is_valid_subject(other)) return;
  require(subjects_collide(one, other) == subjects_collide(other, one));
  require(is_subset(one, one) && subjects_collide(one, one));
  require(!is_subset(one, other) || subjects_collide(one, other));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_json_values(text);
  check_ack(text);
  check_times(text);
  check_subjects(text);
  const auto request = parse_pull_request(text);
  require(request ? request->batch >= 0 : request.error().starts_with("Bad Request - "));
  const PublishHeaders headers = parse_publish_headers(text);
  require(headers.msg_id.size() <= size && headers.ttl.size() <= size);
  return 0;
}
