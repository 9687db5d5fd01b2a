#include "streams/api_client.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "bus/headers.h"
#include "streams/api_feed.h"
#include "streams/api_requests.h"
#include "subject/filter.h"
#include "subject/subject.h"

namespace spanwire::streams {
namespace {

using Kind = Failure::Kind;

// So many streams are known to be read without the API; of more it is not remembered.
constexpr std::size_t max_direct_streams = 65'536;

std::string refusal_of_spec(const FeedSpec& spec) {
  if (!spec.durable.empty() && !is_name(spec.durable)) {
    return fmt::format("\"{}\" cannot be the name of a consumer", spec.durable);
  }
  for (const std::string& filter : spec.filters) {
    if (!subject::is_safe(filter) || !subject::parse_nats_filter(filter)) {
      return fmt::format("\"{}\" is not a filter of subjects", filter);
    }
  }
  return {};
}

}  // namespace

// The messages of one append(): the last one to be answered completes it.
struct ApiClient::Batch {
  std::vector<Result<Appended>> results;
  std::size_t left = 0;
  base::Done<std::vector<Result<Appended>>> done;

  void set(std::size_t index, Result<Appended> result) {
    results[index] = std::move(result);
    if (--left == 0) done(std::move(results));
  }
};

ApiClient::ApiClient(base::Loop& loop, std::unique_ptr<Link> link, ApiSettings settings)
    : link_(std::move(link)), api_(loop, *link_, std::move(settings)) {
  link_->open(*this);
}

ApiClient::~ApiClient() {
  BASE_ASSERT(api_.feeds.empty());  // a feed does not outlive its client
}

void ApiClient::on_inbox(std::string_view token, const bus::MessageView& message) {
  if (!token.starts_with('f')) return api_.calls.on_answer(token, message);
  const auto found = api_.feeds.find(token.substr(0, token.find('.')));
  if (found != api_.feeds.end()) found->second->on_inbox(message);
}

// Why nothing is asked of the stream; empty: it is.
std::string ApiClient::refusal_of(std::string_view stream, std::size_t calls) const {
  if (!is_name(stream)) return fmt::format("\"{}\" cannot be the name of a stream", stream);
  const std::size_t open = api_.calls.open();
  if (calls > max_open_calls || open > max_open_calls - calls) return "too many calls are open";
  return {};
}

template <class T>
void ApiClient::fail(base::Done<Result<T>> done, Failure why) {
  api_.loop.post(lifeline_.bind([done = std::move(done), why = std::move(why)]() mutable {
    done(tl::unexpected(std::move(why)));
  }));
}

void ApiClient::ensure(StreamSpec spec, base::Done<Result<StreamState>> done) {
  if (std::string why = refusal_of(spec.name); !why.empty()) {
    return fail(std::move(done), {.kind = Kind::refused, .text = std::move(why)});
  }
  std::string body = stream_request(spec, api_.settings.replicas);
  Request create{.subject = api_.subject("STREAM.CREATE", spec.name), .payload = body};
  Request change{.subject = api_.subject("STREAM.UPDATE", spec.name), .payload = std::move(body)};
  api_.calls.call(
      spec.name, Company::none, std::move(create),
      [this, name = spec.name, change = std::move(change), done = std::move(done),
       changing = false](const Reply& reply) mutable -> std::optional<Request> {
        if (reply.kind != Reply::Kind::message) {
          done(tl::unexpected(api_.failure_of(reply)));
          return std::nullopt;
        }
        const auto answer = read_stream(reply.message->payload);
        if (!answer && answer.error().number == error_stream_name_in_use && !changing) {
          changing = true;
          return std::move(change);
        }
        update(answer, name);
        done(answer.map([](const StreamAnswer& said) { return said.state; }).map_error(failure_of));
        return std::nullopt;
      });
}

void ApiClient::update(const Answer<StreamAnswer>& answer, std::string_view stream) {
  if (!answer) return;
  if (!answer->direct) {
    direct_.erase(stream);
  } else if (direct_.size() < max_direct_streams) {
    direct_.emplace(stream);
  }
}

void ApiClient::append(std::string_view stream, std::vector<Appending> messages,
                       base::Done<std::vector<Result<Appended>>> done) {
  std::string why = refusal_of(stream, messages.size());
  if (!why.empty() || messages.empty()) {
    const Result<Appended> refused =
        tl::unexpected(Failure{.kind = Kind::refused, .text = std::move(why)});
    api_.loop.post(
        lifeline_.bind([done = std::move(done), results = std::vector<Result<Appended>>(
                                                    messages.size(), refused)]() mutable {
          done(std::move(results));
        }));
    return;
  }
  auto batch = std::make_shared<Batch>();
  batch->results.resize(messages.size(), tl::unexpected(Failure{}));
  batch->left = messages.size();
  batch->done = std::move(done);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    append_one(stream, std::move(messages[i]), batch, i);
  }
}

void ApiClient::append_one(std::string_view stream, Appending message, std::shared_ptr<Batch> batch,
                           std::size_t index) {
  Request request;
  std::string why;
  if (!subject::is_safe(message.subject) || !subject::is_literal(message.subject)) {
    why = fmt::format("\"{}\" is not a subject to append to", message.subject);
  } else if (!append_headers(message, request.headers)) {
    why = "the message has headers that cannot be sent";
  }
  if (!why.empty()) {
    api_.loop.post(lifeline_.bind([batch, index, why = std::move(why)]() mutable {
      batch->set(index, tl::unexpected(Failure{.kind = Kind::refused, .text = std::move(why)}));
    }));
    return;
  }
  request.subject = std::move(message.subject);
  request.payload = std::move(message.payload);
  api_.calls.call(
      stream, Company::appends, std::move(request),
      [this, batch = std::move(batch), index,
       name = std::string(stream)](const Reply& reply) -> std::optional<Request> {
        if (reply.kind == Reply::Kind::message) {
          batch->set(index, read_pub_ack(reply.message->payload, name).map_error(failure_of));
        } else if (reply.kind == Reply::Kind::nobody) {
          batch->set(index,
                     tl::unexpected(Failure{
                         .kind = Kind::not_found,
                         .text = fmt::format("no stream has this subject, also not {}", name)}));
        } else {
          batch->set(index, tl::unexpected(api_.failure_of(reply)));
        }
        return std::nullopt;
      });
}

void ApiClient::read(std::string_view stream, Which which, base::Done<Result<StoredMessage>> done) {
  if (std::string why = refusal_of(stream); !why.empty()) {
    return fail(std::move(done), {.kind = Kind::refused, .text = std::move(why)});
  }
  if (which.kind == Which::Kind::at && which.sequence == 0) {
    return fail(std::move(done), {.kind = Kind::not_found, .text = "there is no message 0"});
  }
  const bool direct = direct_.contains(stream);
  Request by_api{.subject = api_.subject("STREAM.MSG.GET", stream), .payload = read_request(which)};
  Request first = by_api;
  if (direct) first.subject = api_.subject("DIRECT.GET", stream);
  api_.calls.call(
      stream, Company::reads, std::move(first),
      [this, name = std::string(stream), by_api = std::move(by_api), done = std::move(done),
       direct = direct](const Reply& reply) mutable -> std::optional<Request> {
        if (direct && reply.kind == Reply::Kind::nobody) {
          direct = false;  // it was changed, or is gone
          direct_.erase(name);
          return std::move(by_api);
        }
        done(stored(reply, direct));
        return std::nullopt;
      });
}

Result<StoredMessage> ApiClient::stored(const Reply& reply, bool direct) const {
  if (!direct) return api_.result_of(reply, read_stored);
  if (reply.kind != Reply::Kind::message) return tl::unexpected(api_.failure_of(reply));
  return read_direct(*reply.message).map_error(failure_of);
}

void ApiClient::purge(std::string_view stream, Purging what,
                      base::Done<Result<std::uint64_t>> done) {
  std::string why = refusal_of(stream);
  if (why.empty() && what.keep != 0 && what.below != 0) {
    why = "purging takes either a first sequence or a number of messages to keep";
  }
  if (!why.empty()) {
    return fail(std::move(done), {.kind = Kind::refused, .text = std::move(why)});
  }
  api_.calls.call(
      stream, Company::none,
      {.subject = api_.subject("STREAM.PURGE", stream), .payload = purge_request(what)},
      [this, done = std::move(done)](const Reply& reply) mutable -> std::optional<Request> {
        done(api_.result_of(reply, read_purged));
        return std::nullopt;
      });
}

std::unique_ptr<Feed> ApiClient::attach(std::string_view stream, FeedSpec spec, Reader& reader) {
  std::string why = refusal_of(stream);
  if (why.empty()) why = refusal_of_spec(spec);
  return std::make_unique<ApiFeed>(api_, std::string(stream), std::move(spec), reader,
                                   std::move(why));
}

void ApiClient::drop(std::string_view stream, base::Done<Result<void>> done) {
  deleted(stream, api_.subject("STREAM.DELETE", stream), std::move(done));
}

void ApiClient::drop(std::string_view stream, std::string_view durable,
                     base::Done<Result<void>> done) {
  if (!is_name(durable)) {
    return fail(std::move(done),
                {.kind = Kind::refused,
                 .text = fmt::format("\"{}\" cannot be the name of a consumer", durable)});
  }
  deleted(stream, api_.subject("CONSUMER.DELETE", stream, durable), std::move(done));
}

void ApiClient::deleted(std::string_view stream, std::string subject,
                        base::Done<Result<void>> done) {
  if (std::string why = refusal_of(stream); !why.empty()) {
    return fail(std::move(done), {.kind = Kind::refused, .text = std::move(why)});
  }
  api_.calls.call(
      stream, Company::none, {.subject = std::move(subject)},
      [this, done = std::move(done)](const Reply& reply) mutable -> std::optional<Request> {
        done(api_.result_of(reply, read_success));
        return std::nullopt;
      });
}

}  // namespace spanwire::streams
