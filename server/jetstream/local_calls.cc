#include "jetstream/local_calls.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "bus/headers.h"
#include "jetstream/advisory.h"
#include "jetstream/directory.h"
#include "jetstream/local_terms.h"
#include "jetstream/node.h"
#include "jetstream/stream_changes.h"
#include "subject/subject.h"

namespace spanwire::jetstream {
namespace {

using streams::Failure;

tl::unexpected<Failure> fail(const ApiError& error) {
  return tl::unexpected(failure_of(error));
}

tl::unexpected<Failure> fail(Err err) {
  return fail(api_error(err));
}

tl::unexpected<Failure> refuse(std::string_view text) {
  return tl::unexpected(Failure{.kind = Failure::Kind::refused, .text = std::string(text)});
}

tl::unexpected<Failure> not_stored(const Stream& stream) {
  const base::Error* why = stream.log().failed();
  return tl::unexpected(
      unknown_failure(why == nullptr ? "the stream is gone" : std::string_view(why->text)));
}

// It could not be recovered.
std::optional<ApiError> offline(const Directory::Entry* entry) {
  if (entry == nullptr || entry->failed.empty()) return std::nullopt;
  return api_error(Err::stream_offline_reason, entry->failed);
}

bool is_same(StreamConfig config, const StreamConfig& known) {
  return !check_stream_config(config) && same_stream(config, known);
}

// One append() under way; its results come in any order.
struct Appends {
  Appends(Node& its, Tenant& whose, std::string name, std::vector<streams::Appending> all,
          AppendReply answer)
      : node(its),
        tenant(whose),
        stream(std::move(name)),
        messages(std::move(all)),
        left(messages.size()),
        reply(std::move(answer)) {
    results.resize(left);
  }
  void set(std::size_t index, streams::Result<streams::Appended> result) {
    results[index] = std::move(result);
    if (--left == 0) reply.send(node.services(), std::move(results));
  }

  Node& node;
  Tenant& tenant;
  const std::string stream;
  const std::vector<streams::Appending> messages;
  std::size_t next = 0;
  std::size_t left;
  AppendReply reply;
  std::vector<streams::Result<streams::Appended>> results;
};

// The headers by which a publisher asks for what `message` asks for. False: they cannot be spelled.
bool write_headers(const streams::Appending& message, std::string& block) {
  block = message.headers;
  if (!block.empty() && !(block.starts_with("NATS/1.0") && block.ends_with("\r\n\r\n"))) {
    return false;
  }
  const auto& [last, last_of_subject] = message.expect;
  bool well = true;
  if (!message.id.empty()) well &= bus::append_header(block, "Nats-Msg-Id", message.id);
  if (last) {
    well &= bus::append_header(block, "Nats-Expected-Last-Sequence", std::to_string(*last));
  }
  if (last_of_subject) {
    well &= bus::append_header(block, "Nats-Expected-Last-Subject-Sequence",
                               std::to_string(*last_of_subject));
  }
  return well;
}

streams::Result<streams::Appended> appended_of(const bus::Storing& storing) {
  using Outcome = bus::Storing::Outcome;
  if (storing.outcome == Outcome::stored) {
    return streams::Appended{.sequence = storing.sequence, .duplicate = storing.duplicate};
  }
  if (storing.outcome == Outcome::unknown) return tl::unexpected(unknown_failure(storing.reason));
  return fail({.err_code = static_cast<int>(storing.code), .description = storing.reason});
}

// A publication like any other, but answered without a reply. One that the stream will not get is
// for it alone: another one refuses it.
void append_message(Stream& stream, const streams::Appending& message, std::string& headers,
                    base::Done<streams::Result<streams::Appended>> done) {
  if (!subject::is_safe(message.subject) || !subject::is_literal(message.subject)) {
    return done(refuse("a message cannot have this subject"));
  }
  if (!write_headers(message, headers)) {
    return done(refuse("the headers or the id cannot be spelled"));
  }
  const bool captured = stream.captures(message.subject);
  if (!captured) bus::append_header(headers, "Nats-Expected-Stream", stream.name());
  // Shared, since a publication that nobody awaits drops what it was given.
  auto told = std::make_shared<decltype(done)>(std::move(done));
  const bool awaited = stream.branch().seat().publish(
      {.route = message.subject, .headers = headers, .payload = message.payload},
      [told](const bus::Storing& storing) { (*told)(appended_of(storing)); });
  if (awaited) return;
  const Failure why{.kind = captured ? Failure::Kind::unknown : Failure::Kind::not_found,
                    .text = "no stream answers for this subject"};
  (*told)(tl::unexpected(why));
}

// What follows a slice waits for its commit: a stream takes only so many at once.
void append_slice(const std::shared_ptr<Appends>& appends) {
  Node& node = appends->node;
  Home* home = node.find(appends->tenant, appends->stream);
  const std::size_t all = appends->messages.size();
  const std::size_t end = home == nullptr ? all : std::min(all, appends->next + appends_a_slice);
  std::string headers;
  while (appends->next < end) {
    const std::size_t i = appends->next++;
    if (home == nullptr) {
      appends->set(i, fail(Err::stream_not_found));
      continue;
    }
    append_message(home->stream, appends->messages[i], headers,
                   [appends, i](streams::Result<streams::Appended> result) {
                     appends->set(i, std::move(result));
                   });
  }
  if (end == all) return;
  home->stream.after_commit([&node, appends] {
    node.services().post(node.services().loop().id(), [appends] { append_slice(appends); });
  });
}

streams::StoredMessage copy_of(const store::Message& message) {
  bus::MessageView view;
  view.route = view.subject = message.subject;
  view.headers = message.headers;
  view.payload = message.payload;
  return {.sequence = message.sequence, .time = message.time, .message = bus::Message::copy(view)};
}

}  // namespace

void ensure_stream(Directory& directory, StreamConfig config, StateReply reply) {
  const std::string name = config.name;
  const StreamTerms terms{.name = name};
  const Directory::Entry* entry = directory.find(name);
  Changed done = [reply = std::move(reply)](
                     Branch& here, const tl::expected<Stream*, ApiError>& changed) mutable {
    if (!changed) return reply.send(here.services(), fail(changed.error()));
    const store::Log& log = (*changed)->log();
    if (log.failed() != nullptr) return reply.send(here.services(), not_stored(**changed));
    reply.send(here.services(), state_of(log.totals()));
  };
  if (const auto error = offline(entry)) {
    done(directory.branch(), tl::unexpected(*error));
  } else if (entry == nullptr || is_same(config, entry->config)) {
    create_stream(directory, std::move(config), terms, std::move(done));
  } else {
    update_stream(directory, std::move(config), terms, std::move(done));
  }
}

void drop_stream(Directory& directory, const std::string& name, VoidReply reply) {
  Removed done = [reply = std::move(reply)](Branch& here,
                                            const std::optional<ApiError>& error) mutable {
    if (error) return reply.send(here.services(), fail(*error));
    reply.send(here.services(), {});
  };
  remove_stream(directory, name, std::move(done));
}

void append_messages(Node& node, Tenant& tenant, std::string stream,
                     std::vector<streams::Appending> messages, AppendReply reply) {
  if (messages.empty()) return reply.send(node.services(), {});
  append_slice(std::make_shared<Appends>(node, tenant, std::move(stream), std::move(messages),
                                         std::move(reply)));
}

// What was appended before is there.
void read_message(Node& node, Home* home, streams::Which which, ReadReply reply) {
  wire::Services& here = node.services();
  if (home == nullptr) return reply.send(here, fail(Err::stream_not_found));
  MessageRequest asked = message_request_of(std::move(which));
  if (asked.seq == 0 && asked.next_by_subject.empty() && asked.last_by_subject.empty()) {
    return reply.send(here, fail(Err::no_message_found));
  }
  home->stream.after_commit([&here, home, asked = std::move(asked),
                             reply = std::move(reply)]() mutable {
    if (home->direct_get.full()) return reply.send(here, refuse("too many reads wait"));
    home->direct_get.get(std::move(asked),
                         [&here, reply = std::move(reply)](const store::Message* message) mutable {
                           if (message == nullptr)
                             return reply.send(here, fail(Err::no_message_found));
                           reply.send(here, copy_of(*message));
                         });
  });
}

void purge_stream(Node& node, Home* home, streams::Purging what, PurgeReply reply) {
  wire::Services& here = node.services();
  if (home == nullptr) return reply.send(here, fail(Err::stream_not_found));
  if (what.below != 0 && what.keep != 0) return reply.send(here, fail(Err::bad_request));
  Stream& stream = home->stream;
  if (const auto error = check_purge(stream.config())) return reply.send(here, fail(*error));
  stream.purge({.filter = std::move(what.filter), .up_to = what.below, .keep = what.keep},
               [&here, &stream, reply = std::move(reply)](std::uint64_t purged) mutable {
                 stream.when_committed(
                     [&here, &stream, purged, reply = std::move(reply)](bool well) mutable {
                       if (well) return reply.send(here, purged);
                       reply.send(here, not_stored(stream));
                     });
               });
}

void drop_consumer(Node& node, Home* home, std::string_view durable, VoidReply reply) {
  wire::Services& here = node.services();
  if (home == nullptr) return reply.send(here, fail(Err::stream_not_found));
  Stream& stream = home->stream;
  Consumer* consumer = stream.find_consumer(durable);
  if (consumer == nullptr) return reply.send(here, fail(Err::consumer_not_found));
  stream.delete_consumer(*consumer);
  advise_consumer(stream.branch(), stream.name(), durable, "delete");
  stream.when_committed([&here, &stream, reply = std::move(reply)](bool well) mutable {
    if (well) return reply.send(here, {});
    reply.send(here, not_stored(stream));
  });
}

}  // namespace spanwire::jetstream
