// Requests and their answers as the log shows them: one line each, without payloads, and without
// what a login is made of. Who traces what is decided elsewhere (wire/tracer.h).
#pragma once

#include "web/answer.h"
#include "web/request.h"
#include "wire/tracer.h"

namespace spanwire::http_broker {

// Writes the line of a request, if it is wanted: `POST /broker/a/b 5 bytes retained qos 1`. Then
// the answer is shown too, when it is given.
void trace_request(const wire::Tracer& tracer, const web::Request& request, web::Answer& answer);

}  // namespace spanwire::http_broker
