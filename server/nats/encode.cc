#include "nats/encode.h"

#include <fmt/format.h>

#include <iterator>

namespace spanwire::nats {

void append_error(std::string& out, std::string_view text) {
  out += "-ERR '";
  out += text;
  out += "'\r\n";
}

void append_no_responders(std::string& out, std::string_view reply, std::string_view sid,
                          std::string_view subject) {
  constexpr std::string_view status = "NATS/1.0 503\r\nNats-Subject: ";
  constexpr std::string_view end = "\r\n\r\n";
  const std::size_t size = status.size() + subject.size() + end.size();
  fmt::format_to(std::back_inserter(out), "HMSG {} {} {} {}\r\n{}{}{}\r\n", reply, sid, size, size,
                 status, subject, end);
}

}  // namespace spanwire::nats
