// What a session writes into the log.

#include <fmt/format.h>

#include "logging/logging.h"
#include "nats/session.h"
#include "nats/trace.h"

namespace spanwire::nats {
namespace {

constexpr std::string_view from_client = "<<-";
constexpr std::string_view to_client = "->>";
// Of subscriptions that end with their connection.
constexpr std::size_t max_ended_lines = 100;

const logging::Logger& logger() {
  static const logging::Logger log = logging::get("nats");
  return log;
}

}  // namespace

std::string Session::label() const {
  std::string label = fmt::format("{} - cid:{}", peer_.remote(), peer_.id());
  if (connect_seen_ && port_ != nullptr) {
    label += client_label(options_, port_->principal().account->name);
  }
  return label;
}

bool Session::debugs() const {
  return logger().is_on(logging::Level::debug);
}

void Session::debug(std::string_view text) const {
  if (debugs()) logger().debug("{} - {}", label(), text);
}

void Session::info(std::string_view text) const {
  logger().info("{} - {}", label(), text);
}

void Session::error(std::string_view text) const {
  logger().error("{} - {}", label(), text);
}

void Session::write_trace(std::string_view text) const {
  logger().write(logging::Level::trace, "{} - {}", label(), text);
}

// A line of the client's, or of ours, that is about no subject.
void Session::trace_line(std::string_view line) const {
  if (!bridge_.tracer().wants(peer_.id())) return;
  write_trace(fmt::format("{} [{}]", to_client, line));
}

void Session::trace_command(const Command& command) const {
  const bool is_publish = command.verb == Verb::pub || command.verb == Verb::hpub;
  const bool has_subject = is_publish || command.verb == Verb::sub;
  const wire::Tracer& tracer = bridge_.tracer();
  const bool wanted =
      has_subject ? tracer.wants(peer_.id(), is_publish ? command.message.subject : command.subject)
                  : tracer.wants(peer_.id());
  if (wanted) write_trace(fmt::format("{} [{}]", from_client, command_text(command)));
}

void Session::trace_payload(std::string_view subject, std::string_view headers,
                            std::string_view payload) const {
  if (headers.empty() && payload.empty()) return;
  if (!bridge_.tracer().wants(peer_.id(), subject)) return;
  const std::size_t limit = bridge_.settings().max_traced_bytes;
  write_trace(
      fmt::format("{} MSG_PAYLOAD: [{}]", from_client, payload_text(headers, payload, limit)));
}

void Session::trace_message(std::string_view sid, const bus::MessageView& message,
                            bool with_headers) const {
  if (!bridge_.tracer().wants(peer_.id(), message.subject)) return;
  const std::string_view headers = with_headers ? message.headers : std::string_view();
  const std::size_t total = headers.size() + message.payload.size();
  write_trace(
      fmt::format("{} [{}]", to_client,
                  message_text(message.subject, sid, message.reply, headers.size(), total)));
  if (total == 0) return;
  const std::size_t limit = bridge_.settings().max_traced_bytes;
  write_trace(fmt::format("{} MSG_PAYLOAD: [{}]", to_client,
                          payload_text(headers, message.payload, limit)));
}

void Session::trace_ended(std::string_view sid) const {
  if (bridge_.tracer().wants(peer_.id())) write_trace(fmt::format("<-> [DELSUB {}]", sid));
}

// A connection may have a million of them, and the loop has others.
void Session::trace_all_ended() const {
  if (!bridge_.tracer().wants(peer_.id())) return;
  std::size_t written = 0;
  for (const auto& sub : subs_) {
    if (written == max_ended_lines) break;
    write_trace(fmt::format("<-> [DELSUB {}]", sub->sid));
    ++written;
  }
  if (written < subs_.size()) {
    write_trace(fmt::format("<-> [DELSUB of {} more]", subs_.size() - written));
  }
}

}  // namespace spanwire::nats
