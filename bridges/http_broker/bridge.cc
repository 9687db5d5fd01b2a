#include "bridges/http_broker/bridge.h"

#include <array>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "bridges/http_broker/codec.h"
#include "bridges/http_broker/trace.h"
#include "bridges/kit/system_subjects.h"
#include "logging/logging.h"
#include "subject/slash.h"
#include "web/session.h"

namespace spanwire::http_broker {
namespace {

constexpr std::string_view name = "http_broker";
constexpr std::string_view text = "text/plain";
constexpr std::string_view ok = "OK";
constexpr std::string_view closed = "this is the server's own topic";
constexpr std::string_view not_permitted = "publishing to this topic is not permitted";
constexpr std::string_view not_retained = "no more messages can be retained";
constexpr std::string_view not_stored =
    "a stream has not stored the message, or may not have: send it again later";
constexpr std::array<std::string_view, 3> qos_digits = {"0", "1", "2"};

const logging::Logger& logger() {
  static const logging::Logger log = logging::get(name);
  return log;
}

bool has_topic(std::string_view subject) {
  std::string topic;
  return subject::subject_to_topic(subject, topic) == subject::Spelling::ok;
}

}  // namespace

Bridge::Bridge(wire::Services& services, const Settings& settings, bus::WireKind kind,
               kit::LastValuesGroup& group, kit::Retained& retained)
    : settings_(settings),
      kind_(kind),
      last_values_(services, group, settings.last_values),
      retained_(retained),
      access_(services),
      site_(make_routes(), access_, settings.web),
      tracer_(logger().is_on(logging::Level::trace)) {}

bool Bridge::trace(const wire::TraceFilters& filters) {
  tracer_.set(filters);
  return true;
}

std::vector<wire::Count> Bridge::counts() const {
  const web::Stats& web = site_.stats();
  const kit::LastValuesStats& values = last_values_.stats();
  std::vector<wire::Count> counts = {
      {"requests", web.requests.get()},
      {"malformed_requests", web.malformed.get()},
      {"rejected_logins", web.rejected.get()},
      {"request_timeouts", web.timeouts.get()},
      {"published", stats_.published.get()},
      {"published_retained", stats_.retained.get()},
      {"found", stats_.found.get()},
      {"not_found", stats_.missed.get()},
      {"refused", stats_.refused.get()},
      {"not_stored", stats_.not_stored.get()},
      {"last_values", values.entries.get()},
      {"last_values_bytes", values.bytes.get()},
      {"last_values_evicted", values.evicted.get()},
      {"last_values_too_large", values.too_large.get()},
      {"last_values_refused", values.refused.get()},
  };
  append_counts(retained_.stats(), counts);
  return counts;
}

web::Routes Bridge::make_routes() {
  web::Routes routes;
  const base::Status reads =
      routes.add({.owner = name,
                  .path = "/broker/",
                  .below = true,
                  .handler = [this](const web::Request& request, web::Answer answer) {
                    trace_request(tracer_, request, answer);
                    get(request, std::move(answer));
                  }});
  const base::Status writes =
      routes.add({.owner = name,
                  .path = "/broker/",
                  .below = true,
                  .methods = {http::Method::post},
                  .body_bytes = settings_.max_payload,
                  .handler = [this](const web::Request& request, web::Answer answer) {
                    trace_request(tracer_, request, answer);
                    post(request, std::move(answer));
                  }});
  BASE_ASSERT(reads && writes);
  return routes;
}

// What a POST waits for: its streams, if it asks for them, and the store of retained messages.
struct Bridge::Posted {
  web::Answer answer;
  std::size_t waits = 1;    // the call itself included
  std::string_view reason;  // why it was not kept; empty: it was
};

void Bridge::post(const web::Request& request, web::Answer answer) {
  const auto topic = read_topic(request.rest, settings_.max_topic_characters, topic_);
  if (!topic) return refuse(answer, 400, topic.error());
  const auto options = read_options(request.query);
  if (!options) return refuse(answer, 400, options.error());
  subject_.clear();
  if (subject::topic_to_subject(*topic, subject_).status != subject::Slash::ok) {
    return refuse(answer, 400, "nothing can be published to a wildcard");
  }
  if (is_closed(subject_)) return refuse(answer, 403, closed);
  bus::MessageView message;
  message.route = subject_;
  message.subject = subject_;
  message.payload = request.body;
  message.origin.wire = kind_;
  message.origin.qos = options->qos;
  message.origin.retain = options->retained;
  std::shared_ptr<Posted> posted;  // none yet: it need not wait
  const auto wait_for_streams = [&]() -> bus::Receipts::Answered {
    posted.reset(new Posted{.answer = std::move(answer)});
    return [this, posted](const bus::Storing& storing) { on_stored(posted, storing); };
  };
  const auto routed = options->qos == 0 ? request.client.publish(message)
                                        : request.client.publish(message, wait_for_streams);
  if (!routed) return refuse(answer, 403, not_permitted);
  stats_.published.add();
  if (posted == nullptr && !options->retained) return answer.send({.type = text, .body = ok});
  if (posted == nullptr) posted.reset(new Posted{.answer = std::move(answer)});
  if (routed->awaited) ++posted->waits;
  if (options->retained) retain(request, message, posted);
  settle(posted);
}

void Bridge::on_stored(const std::shared_ptr<Posted>& posted, const bus::Storing& storing) {
  if (storing.outcome != bus::Storing::Outcome::stored) {
    stats_.not_stored.add();
    posted->reason = not_stored;
    logger().warn("a message for a stream was not stored: {}", storing.reason);
  }
  settle(posted);
}

void Bridge::retain(const web::Request& request, const bus::MessageView& message,
                    const std::shared_ptr<Posted>& posted) {
  ++posted->waits;
  retained_.set(request.client.port(), message, [this, posted](kit::Retention result) {
    if (result == kit::Retention::refused) {
      posted->reason = not_retained;
    } else if (result == kit::Retention::unknown) {
      stats_.not_stored.add();
      posted->reason = not_stored;
    } else {
      stats_.retained.add();
    }
    settle(posted);
  });
}

void Bridge::settle(const std::shared_ptr<Posted>& posted) {
  if (--posted->waits != 0) return;
  if (!posted->reason.empty()) return refuse(posted->answer, 503, posted->reason);
  posted->answer.send({.type = text, .body = ok});
}

void Bridge::get(const web::Request& request, web::Answer answer) {
  const auto topic = read_topic(request.rest, settings_.max_topic_characters, topic_);
  if (!topic) return refuse(answer, 400, topic.error());
  const auto options = read_options(request.query);
  if (!options) return refuse(answer, 400, options.error());
  auto filter = subject::parse_topic_filter(*topic);
  if (!filter) return refuse(answer, 400, filter.error());
  if ((*filter)[0].kind == subject::TokenKind::literal && is_closed((*filter)[0].text)) {
    return refuse(answer, 403, closed);
  }
  const account::Principal& asker = *request.client.principal();
  if (asker.permissions && !asker.permissions->may_subscribe(*filter)) {
    return refuse(answer, 403, "reading this topic is not permitted");
  }
  kit::ValueQuery query = {.account = asker.account->id,
                           .filter = std::move(*filter),
                           .permissions = asker.permissions,
                           .can_show = has_topic};
  if (options->retained) {
    return retained_.get_newest(
        std::move(query), [this, answer = std::move(answer)](kit::RetainedMessage found) mutable {
          show(answer, std::move(found.message), found.origin);
        });
  }
  last_values_.find(std::move(query),
                    [this, answer = std::move(answer)](kit::LastValues::Answer found) mutable {
                      if (!found) return refuse(answer, 503, found.error().text);
                      const bus::Origin origin = *found ? (*found)->view().origin : bus::Origin();
                      show(answer, std::move(*found), origin);
                    });
}

bool Bridge::is_closed(std::string_view subject) const {
  return !settings_.system_topics && kit::is_system_subject(subject);
}

void Bridge::refuse(web::Answer& answer, int status, std::string_view reason) {
  stats_.refused.add();
  answer.refuse(status, reason);
}

void Bridge::show(web::Answer& answer, base::Ref<const bus::Message> message,
                  const bus::Origin& origin) {
  if (!message) {
    stats_.missed.add();
    return answer.send({.status = 404});
  }
  stats_.found.add();
  const bus::MessageView view = message->view();
  topic_.clear();
  subject::subject_to_topic(view.route, topic_);
  const std::array<http::Header, 3> fields = {{{"X-Topic", topic_},
                                               {"X-Retained", origin.retain ? "true" : "false"},
                                               {"X-QoS", qos_digits[origin.qos]}}};
  answer.send({.type = "application/octet-stream",
               .fields = fields,
               .body = view.payload,
               .message = std::move(message)});
}

wire::Wire make_wire(const Settings& settings, bus::WireKind kind,
                     std::shared_ptr<kit::RetainedStores> retained) {
  auto group = std::make_shared<kit::LastValuesGroup>();
  return {
      .name = name,
      .start =
          [settings, kind, group, retained = std::move(retained)](wire::Services& services) {
            return std::make_unique<Bridge>(services, settings, kind, *group,
                                            retained->open(services));
          },
      .open =
          [](session::Peer& peer, wire::Bridge& bridge) {
            return std::make_unique<web::Session>(peer, static_cast<Bridge&>(bridge).site());
          },
  };
}

}  // namespace spanwire::http_broker
