// How pull requests stand.
#include <charconv>

#include "bus/headers.h"
#include "streams/api_answers.h"

namespace spanwire::streams {
namespace {

std::uint64_t number_in(std::string_view text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::uint64_t header_number(const bus::MessageView& message, std::string_view name) {
  return number_in(bus::find_header(message.headers, name).value_or(std::string_view()));
}

PullStatus conflict(const bus::MessageView& message, std::string_view text) {
  using Kind = PullStatus::Kind;
  constexpr std::string_view too_large = "Exceeded MaxRequestBatch of";
  PullStatus out{.text = text};
  if (text.starts_with("Consumer Deleted")) {
    out.kind = Kind::consumer_gone;
  } else if (text.starts_with(too_large)) {
    out.limit = static_cast<std::size_t>(number_in(text.substr(text.rfind(' ') + 1)));
    out.kind = out.limit == 0 ? Kind::refused : Kind::too_large;
  } else if (text.starts_with("Consumer is push based") ||
             text.starts_with("Exceeded MaxRequestExpires")) {
    out.kind = Kind::refused;
  } else {
    out.left = header_number(message, "Nats-Pending-Messages");
  }
  return out;
}

}  // namespace

std::optional<PullStatus> parse_pull_status(const bus::MessageView& message) {
  using Kind = PullStatus::Kind;
  if (!message.payload.empty()) return std::nullopt;
  const auto status = bus::read_status(message.headers);
  if (!status) return std::nullopt;
  PullStatus out{.text = status->text};
  switch (status->code) {
    case 100:
      out.kind = Kind::heartbeat;
      out.last_delivery = header_number(message, "Nats-Last-Consumer");
      return out;
    case 404:
    case 408:
      out.left = header_number(message, "Nats-Pending-Messages");
      return out;
    case 409:
      return conflict(message, status->text);
    case 503:
      out.kind = Kind::consumer_gone;
      return out;
    default:
      out.kind = Kind::refused;
      return out;
  }
}

}  // namespace spanwire::streams
