#include "streams/api.h"

#include <fmt/format.h>

#include <utility>

namespace spanwire::streams {

Api::Api(base::Loop& on_loop, Link& to, ApiSettings how)
    : loop(on_loop),
      link(to),
      settings(std::move(how)),
      prefix(settings.domain.empty() ? std::string("$JS.API.")
                                     : fmt::format("$JS.{}.API.", settings.domain)),
      calls(on_loop, to, settings.timeout) {}

std::string Api::subject(std::string_view what, std::string_view stream,
                         std::string_view consumer) const {
  std::string out = fmt::format("{}{}.{}", prefix, what, stream);
  if (!consumer.empty()) out.append(1, '.').append(consumer);
  return out;
}

Failure Api::failure_of(const Reply& reply) const {
  switch (reply.kind) {
    case Reply::Kind::nobody:
      return {.kind = Failure::Kind::unknown,
              .text = fmt::format("nobody answers at {}>: enable JetStream for this account, or "
                                  "mend the link to the server that has it",
                                  prefix)};
    case Reply::Kind::full:
      return {.kind = Failure::Kind::refused, .text = "too much waits to be sent to JetStream"};
    default:
      return {.kind = Failure::Kind::unknown, .text = "JetStream has not answered in time"};
  }
}

}  // namespace spanwire::streams
