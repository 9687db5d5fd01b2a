#include "jetstream/ack.h"

#include <string>

#include "jetstream/go_time.h"
#include "json/document.h"
#include "json/fields.h"

namespace spanwire::jetstream {
namespace {

constexpr std::string_view spaces = " \t\n\v\f\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

// {"delay": nanoseconds}
std::optional<base::Duration> read_delay(std::string_view json) {
  const auto document = json::Document::parse(json);
  if (!document) return std::nullopt;
  std::int64_t nanoseconds = 0;
  json::Fields fields(document->root());
  fields.read("delay", nanoseconds);
  if (!fields.status()) return std::nullopt;
  return base::Duration(nanoseconds);
}

Ack parse_nak(std::string_view argument) {
  Ack ack{.kind = AckKind::nak, .delay = {}, .bad_delay = false, .text = {}};
  if (argument.empty()) return ack;
  ack.delay = argument.starts_with('{') ? read_delay(argument) : parse_go_duration(argument);
  ack.bad_delay = !ack.delay;
  return ack;
}

}  // namespace

Ack parse_ack(std::string_view body) {
  constexpr std::string_view nak = "-NAK";
  constexpr std::string_view next = "+NXT";
  constexpr std::string_view term = "+TERM";
  Ack ack;
  if (body.empty() || body == "+ACK" || body == "+OK") {
    ack.kind = AckKind::ack;
  } else if (body.starts_with(next)) {
    ack.kind = AckKind::next;
    ack.text = body.substr(next.size());
  } else if (body.starts_with(nak)) {
    ack = parse_nak(trim(body.substr(nak.size())));
  } else if (body == "+WPI") {
    ack.kind = AckKind::progress;
  } else if (body.starts_with(term)) {
    ack.kind = AckKind::term;
    ack.text = trim(body.substr(term.size()));
  }
  return ack;
}

}  // namespace spanwire::jetstream
