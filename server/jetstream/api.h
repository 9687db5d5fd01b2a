// A request of the JetStream API on its way: from the account's directory, which hears it, to the
// home of its stream, where it is answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ref.h"
#include "bus/message.h"
#include "jetstream/api_error.h"
#include "jetstream/branch.h"
#include "json/writer.h"

namespace spanwire::jetstream {

class Directory;
class Node;
struct Home;
struct Operation;
struct Tenant;

// Moves between loops. Texts are parts of the message.
struct Request {
  base::Ref<const bus::Message> message;
  const Operation* operation = nullptr;
  std::string_view stream;
  std::string_view consumer;
  std::string_view filter;  // what follows the consumer, with its dots

  std::string_view body() const { return message->view().payload; }
  std::string_view reply() const { return message->view().reply; }
};

// A request at the home of its stream; or at the directory, if there is no such stream: then the
// handler refuses what it would refuse anyway, before it says that.
struct HomeCall {
  Node& node;
  Tenant& tenant;
  Branch& branch;
  Home* home;  // null: there is no such stream
  Request request;
};

struct Operation {
  // Behind `$JS.API.`: words, `$` for the stream's name, `%` for the consumer's, `>` for the rest.
  std::string_view pattern;
  // The answer's type, behind `io.nats.jetstream.api.v1.`.
  std::string_view type;
  // What an answer with an error has behind the error.
  std::string_view error_members;
  // One of both.
  void (*at_directory)(Directory& directory, Request&& request) = nullptr;
  void (*at_home)(HomeCall call) = nullptr;
};

// What a kept message asks for; nothing: no operation has such a subject.
std::optional<Request> parse_request(base::Ref<const bus::Message> message,
                                     std::string_view domain);

// An answer: opened with its type by the constructor.
class Answer {
 public:
  explicit Answer(const Request& request);
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  json::Writer& writer() { return writer_; }
  std::string text() {
    writer_.end_object();
    return std::move(text_);
  }

 private:
  std::string text_;
  json::Writer writer_;
};

// Sends an answer and counts the request; if somebody audits the API, they hear of it. Not inside
// on_heard().
void respond(Branch& branch, const Request& request, const std::string& answer);
void respond(Branch& branch, const Request& request, const ApiError& error);
inline void respond(HomeCall& call, const std::string& answer) {
  respond(call.branch, call.request, answer);
}
inline void respond(HomeCall& call, const ApiError& error) {
  respond(call.branch, call.request, error);
}
// An answer that says no more than `"success":true`.
std::string success_of(const Request& request);

// Whether this server has the API level that the request's header asks for.
bool supports_required_level(const Request& request);
// A body that asks for nothing: none, or an empty object.
bool is_empty_request(std::string_view body);
// Whether the body is to be read where it may be left out: anything but an object or array is not.
bool has_json(std::string_view body);

}  // namespace spanwire::jetstream
