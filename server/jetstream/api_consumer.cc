// Making, changing and ending consumers, and what is told of them.
#include <fmt/format.h>

#include <algorithm>

#include "jetstream/advisory.h"
#include "jetstream/api_handlers.h"
#include "jetstream/api_requests.h"
#include "jetstream/consumer.h"
#include "jetstream/consumer_changes.h"
#include "jetstream/consumer_config.h"
#include "jetstream/consumer_info.h"
#include "jetstream/node.h"

namespace spanwire::jetstream {
namespace {

constexpr std::size_t names_a_page = 1024;
constexpr std::size_t consumers_a_page = 256;

ConsumerAddress address_of(const Request& request) {
  using Form = ConsumerAddress::Form;
  ConsumerAddress address{.form = Form::named,
                          .stream = request.stream,
                          .consumer = request.consumer,
                          .filter = request.filter};
  if (request.operation->pattern.starts_with("CONSUMER.DURABLE")) {
    address.form = Form::durable;
  } else if (request.consumer.empty()) {
    address.form = Form::ephemeral;
  }
  return address;
}

// Answers with what the consumer is, as soon as it is known what it has to deliver; once that is
// committed, if it was `changed`.
void answer_counted(HomeCall call, Consumer& consumer, bool changed, Sequence reset_to = 0) {
  consumer.when_counted([call = std::move(call), &consumer, changed, reset_to](bool there) mutable {
    if (!there) return respond(call, api_error(Err::consumer_not_found));
    Answer answer(call.request);
    write_consumer_info(answer.writer(), consumer, call.home->stream, call.branch.now(),
                        call.branch.settings().nats_version);
    if (reset_to != 0) answer.writer().member("reset_seq", reset_to);
    std::string text = answer.text();
    if (!changed) return respond(call, text);
    respond_committed(std::move(call), std::move(text));
  });
}

// The consumer of a request, or nothing: the asker has heard.
Consumer* find_consumer(HomeCall& call) {
  if (call.home == nullptr) {
    respond(call, api_error(Err::stream_not_found));
    return nullptr;
  }
  Consumer* consumer = call.home->stream.find_consumer(call.request.consumer);
  if (consumer == nullptr) respond(call, api_error(Err::consumer_not_found));
  return consumer;
}

// Reads the page that is asked for; false: the asker has heard what is wrong.
bool read_page(HomeCall& call, PageRequest& asked) {
  if (has_json(call.request.body())) {
    const bool strict = call.branch.settings().strict;
    if (const auto error = read_consumers(call.request.body(), strict, asked)) {
      respond(call, *error);
      return false;
    }
  }
  if (call.home == nullptr) respond(call, api_error(Err::stream_not_found));
  return call.home != nullptr;
}

template <class Write>
void answer_page(HomeCall& call, const PageRequest& asked, std::size_t limit, Write write) {
  const auto& consumers = call.home->stream.consumers();
  const std::uint64_t offset = asked.start(consumers.size());
  Answer answer(call.request);
  json::Writer& writer = answer.writer();
  writer.member("total", consumers.size()).member("offset", offset).member("limit", limit);
  writer.key("consumers").begin_array();
  auto at = consumers.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(offset));
  for (std::size_t i = 0; i < limit && at != consumers.end(); ++i, ++at) write(writer, *at->second);
  writer.end_array();
  respond(call, answer.text());
}

// Waits for one after the other of the page's consumers to be counted.
void answer_list(HomeCall call, const PageRequest& asked, std::size_t ready) {
  Stream& stream = call.home->stream;
  const auto& consumers = stream.consumers();
  auto at = consumers.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(
                       std::min(asked.start(consumers.size()) + ready, consumers.size())));
  for (; ready < consumers_a_page && at != consumers.end(); ++ready, ++at) {
    if (at->second->counted()) continue;
    return at->second->when_counted([call = std::move(call), asked, ready](bool) mutable {
      answer_list(std::move(call), asked, ready + 1);
    });
  }
  answer_page(call, asked, consumers_a_page, [&](json::Writer& writer, Consumer& consumer) {
    writer.begin_object();
    write_consumer_info(writer, consumer, stream, call.branch.now(), {});
    writer.end_object();
  });
}

}  // namespace

void api_consumer_create(HomeCall call) {
  auto asked = parse_consumer_request(call.request.body(), call.branch.settings().strict);
  if (!asked) return respond(call, asked.error());
  if (const auto error = check_consumer_address(*asked, address_of(call.request))) {
    return respond(call, *error);
  }
  if (call.home == nullptr) return respond(call, api_error(Err::stream_not_found));
  const auto settled = settle_consumer(call.branch, call.home->stream, *std::move(asked));
  if (!settled) return respond(call, settled.error());
  answer_counted(std::move(call), **settled, true);
}

void api_consumer_names(HomeCall call) {
  PageRequest asked;
  if (!read_page(call, asked)) return;
  answer_page(call, asked, names_a_page, [](json::Writer& writer, const Consumer& consumer) {
    writer.value(consumer.name());
  });
}

void api_consumer_list(HomeCall call) {
  PageRequest asked;
  if (!read_page(call, asked)) return;
  Stream& stream = call.home->stream;
  stream.after_commit(
      [call = std::move(call), asked]() mutable { answer_list(std::move(call), asked, 0); });
}

void api_consumer_info(HomeCall call) {
  if (!is_empty_request(call.request.body())) {
    return respond(call, api_error(Err::not_empty_request));
  }
  if (find_consumer(call) == nullptr) return;
  Stream& stream = call.home->stream;
  stream.after_commit([call = std::move(call)]() mutable {
    if (Consumer* consumer = find_consumer(call)) {
      answer_counted(std::move(call), *consumer, false);
    }
  });
}

void api_consumer_delete(HomeCall call) {
  if (!is_empty_request(call.request.body())) {
    return respond(call, api_error(Err::not_empty_request));
  }
  Consumer* consumer = find_consumer(call);
  if (consumer == nullptr) return;
  Stream& stream = call.home->stream;
  stream.delete_consumer(*consumer);
  advise_consumer(call.branch, stream.name(), call.request.consumer, "delete");
  std::string answer = success_of(call.request);
  respond_committed(std::move(call), std::move(answer));
}

void api_consumer_pause(HomeCall call) {
  PauseBody asked;
  if (has_json(call.request.body())) {
    const bool strict = call.branch.settings().strict;
    if (const auto error = read_pause(call.request.body(), strict, asked)) {
      return respond(call, *error);
    }
  }
  Consumer* consumer = find_consumer(call);
  if (consumer == nullptr) return;
  Stream& stream = call.home->stream;
  // Go's zero time is none.
  if (asked.pause_until == base::WallTime::min()) asked.pause_until.reset();
  ConsumerConfig config = consumer->config();
  config.pause_until = asked.pause_until;
  set_required_level(config);
  const bool changes = config.pause_until != consumer->config().pause_until;
  stream.update_consumer(*consumer, std::move(config));
  if (changes) stream.advise_pause(*consumer);

  Answer answer(call.request);
  const base::WallTime now = call.branch.now();
  const bool paused = asked.pause_until && *asked.pause_until > now;
  answer.writer().member("paused", paused);
  if (!asked.pause_until) {
    answer.writer().member("pause_until", json::zero_time);
  } else {
    answer.writer().member("pause_until", *asked.pause_until);
  }
  if (paused) {
    const base::Duration left = *asked.pause_until - now;
    answer.writer().member("pause_remaining", static_cast<std::int64_t>(left.count()));
  }
  std::string text = answer.text();
  respond_committed(std::move(call), std::move(text));
}

void api_consumer_reset(HomeCall call) {
  ResetBody asked;
  if (!call.request.body().empty()) {
    if (const auto error = read_reset(call.request.body(), asked)) return respond(call, *error);
  }
  Consumer* consumer = find_consumer(call);
  if (consumer == nullptr) return;
  std::string_view why;
  const auto first = call.home->stream.reset_consumer(*consumer, asked.seq, why);
  if (!first) return respond(call, api_error(Err::consumer_invalid_reset, why));
  answer_counted(std::move(call), *consumer, true, *first);
}

// There are no priority groups.
void api_consumer_unpin(HomeCall call) {
  if (find_consumer(call) == nullptr) return;
  respond(call, api_error(Err::consumer_invalid_priority_group));
}

}  // namespace spanwire::jetstream
