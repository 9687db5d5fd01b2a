#include "http/status.h"

#include <algorithm>
#include <array>

namespace spanwire::http {

namespace {

struct Entry {
  int status;
  std::string_view phrase;
  std::string_view advice;
};

// In order of their numbers.
constexpr std::array entries{
    Entry{100, "Continue", ""},
    Entry{101, "Switching Protocols", ""},
    Entry{200, "OK", ""},
    Entry{201, "Created", ""},
    Entry{202, "Accepted", ""},
    Entry{204, "No Content", ""},
    Entry{206, "Partial Content", ""},
    Entry{301, "Moved Permanently", ""},
    Entry{302, "Found", ""},
    Entry{303, "See Other", ""},
    Entry{304, "Not Modified", ""},
    Entry{307, "Temporary Redirect", ""},
    Entry{308, "Permanent Redirect", ""},
    Entry{400, "Bad Request", "Correct the request; sending the same bytes again will not help."},
    Entry{401, "Unauthorized", "Send a user and a password in an Authorization header."},
    Entry{403, "Forbidden", "Use credentials that have this permission, or ask for it."},
    Entry{404, "Not Found", "Check the path; for a topic, publish something to it first."},
    Entry{405, "Method Not Allowed", "Use one of the methods that the Allow header lists."},
    Entry{406, "Not Acceptable", "Ask for another content type, or leave the Accept header out."},
    Entry{408, "Request Timeout", "Send the whole request without a pause; connect again."},
    Entry{409, "Conflict", "Read the present state, then decide whether to try again."},
    Entry{411, "Length Required", "Send a Content-Length, or the body in chunks."},
    Entry{412, "Precondition Failed", "Read the present state, then try again with it."},
    Entry{413, "Content Too Large", "Send a smaller body, or have the limit raised."},
    Entry{414, "URI Too Long", "Shorten the path or the query."},
    Entry{415, "Unsupported Media Type", "Send the body in another content type."},
    Entry{416, "Range Not Satisfiable", "Ask for a range within the content."},
    Entry{417, "Expectation Failed", "Leave the Expect header out (curl: -H 'Expect:')."},
    Entry{421, "Misdirected Request", "Connect to the server that the host name stands for."},
    Entry{426, "Upgrade Required", "Ask for one of the protocols that the Upgrade header lists."},
    Entry{429, "Too Many Requests", "Wait as long as the Retry-After header says, then send less."},
    Entry{431, "Request Header Fields Too Large", "Send fewer or shorter headers and cookies."},
    Entry{500, "Internal Server Error", "Report this with the time; the server's log has more."},
    Entry{501, "Not Implemented", "Use what HTTP/1.1 and this server's documentation describe."},
    Entry{502, "Bad Gateway", "Try again; if it stays, look at the server behind this one."},
    Entry{503, "Service Unavailable", "Try again a little later."},
    Entry{504, "Gateway Timeout", "Check that the service behind answers, then try again."},
    Entry{505, "HTTP Version Not Supported", "Use HTTP/1.1."},
};

const Entry* find(int status) {
  const auto* found = std::find_if(entries.begin(), entries.end(),
                                   [&](const Entry& entry) { return entry.status == status; });
  return found == entries.end() ? nullptr : found;
}

}  // namespace

std::string_view status_phrase(int status) {
  const Entry* entry = find(status);
  return entry == nullptr ? std::string_view() : entry->phrase;
}

std::string_view status_advice(int status) {
  const Entry* entry = find(status);
  return entry == nullptr ? std::string_view() : entry->advice;
}

}  // namespace spanwire::http
