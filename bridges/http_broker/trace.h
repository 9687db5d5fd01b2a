// Requests and their answers as the log shows them: one line each, without payloads, and without
// what a login is made of. Who traces what is decided elsewhere (wire/tracer.h).
#pragma once

#include <string>
#include <string_view>

#include "web/answer.h"
#include "web/request.h"
#include "wire/tracer.h"

namespace spanwire::http_broker {

// An answer that is shown where its request was.
class TracedAnswer {
 public:
  // `label`: whose answer it is, as the line of the request says; empty: not shown.
  TracedAnswer(web::Answer answer, std::string label)
      : answer_(std::move(answer)), label_(std::move(label)) {}

  // As web::Answer has them.
  void send(const web::Reply& reply);
  void refuse(int status, std::string_view reason);

 private:
  web::Answer answer_;
  std::string label_;
};

// Writes the line of a request, if it is wanted: `POST /broker/a/b 5 bytes retained qos 1`.
TracedAnswer trace_request(const wire::Tracer& tracer, const web::Request& request,
                           web::Answer answer);

}  // namespace spanwire::http_broker
