// What a foreign server answers to a client of its JetStream API: the first line is an ack subject,
// then comes a block of headers, then a payload. Whatever is taken can be used as it is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "streams/api_answers.h"

using namespace spanwire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void check_failure(const streams::Answer<T>& answer) {
  if (answer) return;
  const streams::Failure failure = streams::failure_of(answer.error());
  for (const char c : failure.text) require(static_cast<unsigned char>(c) >= 0x20);
  require(failure.text.size() < 1024);
}

void check_stored(const streams::Answer<streams::StoredMessage>& answer) {
  check_failure(answer);
  if (answer) require(answer->message && !answer->message->view().subject.empty());
}

void check_ack_subject(std::string_view text) {
  const auto ack = streams::parse_ack_subject(text);
  if (!ack) return;
  const std::string written = streams::ack_subject(ack->prefix, ack->token);
  const auto again = streams::parse_ack_subject(written);
  require(again && again->prefix == ack->prefix && again->consumer == ack->consumer);
  require(again->token.sequence == ack->token.sequence);
  require(again->token.delivery == ack->token.delivery);
  require(again->token.attempt == ack->token.attempt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), size);
  check_ack_subject(text.substr(0, line));
  const std::string_view rest = text.substr(std::min(line + 1, size));
  const std::size_t block_end = rest.find("\r\n\r\n");
  bus::MessageView message;
  if (block_end != std::string_view::npos) message.headers = rest.substr(0, block_end + 4);
  streams::parse_pull_status(message);
  message.payload = rest.substr(message.headers.size());
  check_stored(streams::read_direct(message));
  check_stored(streams::read_stored(message.payload));
  check_failure(streams::read_pub_ack(message.payload, "S"));
  check_failure(streams::read_stream(message.payload));
  check_failure(streams::read_purged(message.payload));
  check_failure(streams::read_success(message.payload));
  check_failure(streams::read_consumer(message.payload));
  return 0;
}
