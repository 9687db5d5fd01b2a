// What the headers of a published message ask of its stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace spanwire::jetstream {

// Of a message that is stored, as a block.
inline constexpr std::size_t max_header_bytes = 65'535;

enum class Rollup : std::uint8_t { none, subject, all, invalid };

// Texts are parts of the block. A header that is absent or empty asks for nothing; of several with
// one name the first counts. A number that is none is expected in vain: ~0.
struct PublishHeaders {
  std::string_view msg_id;
  std::string_view expected_stream;
  std::string_view expected_last_msg_id;
  std::optional<std::uint64_t> expected_last_sequence;
  std::optional<std::uint64_t> expected_last_subject_sequence;
  std::string_view expected_last_subject_sequence_subject;
  std::string_view ttl;  // parse_message_ttl()
  std::string_view required_api_level;
  Rollup rollup = Rollup::none;
  std::string_view rollup_text;  // for the error
  // Of features that a stream here does not have; each has its error.
  bool has_increment = false;
  bool has_batch = false;
  bool has_schedule = false;
};

// One pass over a raw block (bus/headers.h); quick where no header is JetStream's.
PublishHeaders parse_publish_headers(std::string_view block);

}  // namespace spanwire::jetstream
