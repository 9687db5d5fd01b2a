#include "http/field_line.h"

#include "http/scan.h"

namespace spanwire::http {

namespace {

// `stop` is where a name ended without a colon behind it.
std::string_view name_problem(const char* begin, const char* stop) {
  if (*stop == '\r' || *stop == '\n') {
    return stop == begin ? "a line ends in CR or LF alone; lines end in CRLF"
                         : "a header field has no colon";
  }
  if (scan::is_space(*stop)) {
    return stop == begin ? "a header field is continued on the next line (obs-fold)"
                         : "white space stands in or behind a header field's name";
  }
  return *stop == ':' ? "a header field has no name" : "a header field's name has an invalid byte";
}

std::string_view value_problem(char stop) {
  if (stop == '\r' || stop == '\n') return "a line ends in CR or LF alone; lines end in CRLF";
  return "a header field's value has a control character";
}

}  // namespace

bool read_field_line(const char*& at, const char* end, Header& out, std::string_view& reason) {
  const char* const name_end = scan::skip_token_bytes(at, end);
  if (name_end == end) return false;
  if (*name_end != ':' || name_end == at) {
    reason = name_problem(at, name_end);
    return false;
  }
  const char* value = name_end + 1;
  while (value != end && scan::is_space(*value)) ++value;
  const char* const stop = scan::skip_field_bytes(value, end);
  if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') {
    if (stop != end) reason = value_problem(*stop);
    return false;
  }
  const char* value_end = stop;
  while (value_end != value && scan::is_space(value_end[-1])) --value_end;
  out.name = {at, static_cast<std::size_t>(name_end - at)};
  out.value = {value, static_cast<std::size_t>(value_end - value)};
  at = stop + 2;
  return true;
}

}  // namespace spanwire::http
