// The JSON that clients send. Whatever the text: a CONNECT that is refused changes nothing, one
// that is taken says the same when it is read again, and what was read can be written and read
// back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/document.h"
#include "json/utf8.h"
#include "json/writer.h"
#include "nats/connect.h"
#include "nats/info.h"

using namespace spanwire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void write_scalar(json::Writer& writer, json::Value value) {
  if (const auto text = value.string()) {
    require(json::is_utf8(*text));
    writer.value(*text);
  } else if (const auto boolean = value.boolean()) {
    writer.value(*boolean);
  } else if (const auto number = value.int64()) {
    writer.value(*number);
  } else if (const auto real = value.real()) {
    writer.value(*real == 0 ? 0 : *real);  // -0.0 would read back as an integer
  } else {
    writer.null();
  }
}

void write(json::Writer& writer, json::Value value) {
  if (value.kind() == json::Kind::array) {
    writer.begin_array();
    for (const json::Value element : value) write(writer, element);
    writer.end_array();
  } else if (value.kind() == json::Kind::object) {
    writer.begin_object();
    for (const json::Value member : value) {
      writer.key(member.name());
      write(writer, member);
    }
    writer.end_object();
  } else {
    write_scalar(writer, value);
  }
}

std::string written(const json::Document& document, json::Style style) {
  std::string out;
  json::Writer writer(out, style);
  write(writer, document.root());
  return out;
}

// What is written reads back as what it was, in every style.
void check_round_trip(const json::Document& document) {
  const std::string first = written(document, {});
  for (const json::Style style :
       {json::Style{}, json::Style{.escape = json::Escape::plain}, json::Style{.indent = 2}}) {
    const auto again = json::Document::parse(written(document, style));
    require(again.has_value());
    require(written(*again, {}) == first);
  }
}

void check_connect(std::string_view text) {
  nats::ConnectOptions options;
  options.name = "before";
  const nats::ConnectOptions before = options;
  if (!nats::parse_connect(text, options)) {
    require(options == before);
    return;
  }
  const nats::ConnectOptions taken = options;
  require(nats::parse_connect(text, options).has_value());
  require(options == taken);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_connect(text);
  const auto document = json::Document::parse(text, {.depth = json::Writer::max_depth});
  if (document) check_round_trip(*document);
  if (nats::check_info(text)) require(json::Document::parse(text).has_value());
  return 0;
}
