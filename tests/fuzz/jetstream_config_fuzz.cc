// Requests for streams and consumers. Whatever the text: what is refused has an error of the table,
// what is taken and checked is good when it is checked again, and is the same when it was written
// and read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jetstream/consumer_config.h"
#include "jetstream/stream_config.h"

using namespace spanwire;
using namespace spanwire::jetstream;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_error(const ApiError& error) {
  require(error.code >= 400 && error.code < 600 && error.err_code > 10000);
}

template <class Config, class Write>
json::Document written(const Config& config, const Write& write) {
  std::string text;
  json::Writer writer(text);
  write(writer, config, std::string_view());
  auto document = json::Document::parse(text);
  require(document.has_value());
  return *std::move(document);
}

void check_stream(StreamConfig config, bool pedantic) {
  check_stream_create(config, "S");
  if (const auto error = check_stream_config(config, {}, pedantic)) return require_error(*error);
  StreamConfig again = config;
  require(!check_stream_config(again));
  require(again == config);
  StreamConfig updated = config;  // sealing changes it further
  require(!check_stream_update(config, updated));
  const json::Document document = written(config, write_stream_config);
  require(parse_stream_config(document.root(), true) == config);
  set_required_level(again);
  require(same_stream(config, again));
}

void check_consumer(ConsumerRequest request) {
  StreamConfig stream;
  stream.name = "S";
  stream.subjects = {"s.>"};
  require(!check_stream_config(stream));
  const ConsumerAddress address{
      .form = ConsumerAddress::Form::named, .stream = "S", .consumer = "c", .filter = {}};
  if (const auto error = check_consumer_address(request, address)) require_error(*error);
  ConsumerConfig& config = request.config;
  if (const auto error = check_consumer_config(config, stream, {}, request.pedantic)) {
    return require_error(*error);
  }
  ConsumerConfig again = config;
  require(!check_consumer_config(again, stream));
  require(again == config);
  require(!check_consumer_update(config, again, true));
  check_work_queue(config, false, stream, {&again});
  const json::Document document = written(config, write_consumer_config);
  require(parse_consumer_config(document.root(), true) == config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const bool strict : {true, false}) {
    if (const auto stream = parse_stream_request(body, strict)) {
      check_stream(stream->config, stream->pedantic);
    } else {
      require_error(stream.error());
    }
    if (const auto consumer = parse_consumer_request(body, strict)) {
      check_consumer(*consumer);
    } else {
      require_error(consumer.error());
    }
  }
  return 0;
}
