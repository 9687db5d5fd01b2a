#include "http/request_line.h"

#include <algorithm>
#include <cstring>

#include "http/scan.h"
#include "http/uri.h"

namespace spanwire::http {

namespace {

bool refuse(Problem& problem, int status, std::string_view reason) {
  problem = {.status = status, .reason = reason};
  return false;
}

bool refuse_target_byte(Problem& problem, char byte) {
  if (byte == '\r' || byte == '\n') {
    return refuse(problem, 400, "the request line is not: method, target, HTTP version");
  }
  if (byte == '#') return refuse(problem, 400, "the target has a fragment; write # as %23");
  return refuse(problem, 400, "the target has a byte that must be percent-encoded");
}

// `HTTP/1.1` is by far the most usual, and read_target_and_version has seen to that.
bool read_other_version(const char*& at, const char* end, Request& out, Problem& problem) {
  constexpr std::string_view prefix = "HTTP/";
  constexpr std::size_t size = 10;  // prefix, digit, dot, digit, CRLF
  if (static_cast<std::size_t>(end - at) < size ||
      std::memcmp(at, prefix.data(), prefix.size()) != 0 || !scan::is_digit(at[5]) ||
      at[6] != '.' || !scan::is_digit(at[7]) || at[8] != '\r' || at[9] != '\n') {
    return refuse(problem, 400, "the request line does not end in an HTTP version and CRLF");
  }
  if (at[5] != '1') return refuse(problem, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  // A higher minor version is spoken to in 1.1 (RFC 9110, 2.5).
  out.version = at[7] == '0' ? Version::http_1_0 : Version::http_1_1;
  at += size;
  return true;
}

bool known_method(std::string_view text, Method& out) {
  const auto is = [&](std::string_view name, Method method) {
    if (text != name) return false;
    out = method;
    return true;
  };
  switch (text.size()) {
    case 3:
      return is("GET", Method::get) || is("PUT", Method::put);
    case 4:
      return is("POST", Method::post) || is("HEAD", Method::head);
    case 5:
      return is("PATCH", Method::patch) || is("TRACE", Method::trace);
    case 6:
      return is("DELETE", Method::del);
    case 7:
      return is("OPTIONS", Method::options);
    default:
      return false;
  }
}

void split_query(std::string_view path_and_query, Request& out) {
  const std::size_t mark = path_and_query.find('?');
  out.path = path_and_query.substr(0, mark);
  out.query = mark == std::string_view::npos ? std::string_view() : path_and_query.substr(mark + 1);
}

// RFC 9112, 3.2.2. An https target may come from a proxy that ends TLS.
bool interpret_absolute_form(Request& out, Problem& problem) {
  const std::size_t colon = out.target.find("://");
  const std::string_view scheme = out.target.substr(0, colon);
  if (colon == std::string_view::npos ||
      !(equal_ignoring_case(scheme, "http") || equal_ignoring_case(scheme, "https"))) {
    return refuse(problem, 400, "the target is neither a path nor an http or https URL");
  }
  const std::string_view rest = out.target.substr(colon + 3);
  const std::size_t host_size = std::min(rest.find_first_of("/?"), rest.size());
  out.host = rest.substr(0, host_size);
  if (!is_authority(out.host)) return refuse(problem, 400, "the target's host is not valid");
  split_query(rest.substr(host_size), out);
  if (out.path.empty()) out.path = "/";
  return true;
}

}  // namespace

Parse find_method(std::string_view line, std::string_view& method, Problem& problem) {
  const std::string_view window = line.substr(0, max_method_bytes + 1);
  const char* const begin = window.data();
  const char* const end = begin + window.size();
  const char* const stop = scan::skip_token_bytes(begin, end);
  method = {begin, static_cast<std::size_t>(stop - begin)};
  if (stop == end) {
    if (window.size() <= max_method_bytes) return Parse::need_more;
    problem = {.status = 501, .reason = "the method is not known here"};
    return Parse::error;
  }
  if (*stop == ' ' && stop != begin) return Parse::ok;
  problem = {.status = 400, .reason = "the request line does not begin with a method and a space"};
  return Parse::error;
}

bool read_target_and_version(const char*& at, const char* end, Request& out, Problem& problem) {
  const char* const stop = scan::skip_target_bytes(at, end);
  if (stop == end) return false;
  if (*stop != ' ') return refuse_target_byte(problem, *stop);
  if (stop == at) return refuse(problem, 400, "the request line has two spaces in a row");
  out.target = {at, static_cast<std::size_t>(stop - at)};
  const char* version = stop + 1;
  constexpr std::string_view usual = "HTTP/1.1\r\n";
  if (static_cast<std::size_t>(end - version) >= usual.size() &&
      std::memcmp(version, usual.data(), usual.size()) == 0) {
    out.version = Version::http_1_1;
    at = version + usual.size();
    return true;
  }
  if (!read_other_version(version, end, out, problem)) return false;
  at = version;
  return true;
}

bool interpret_request_line(std::string_view method, Request& out, Problem& problem) {
  if (!known_method(method, out.method)) {
    return refuse(problem, 501, "the method is not known here");
  }
  out.host = {};
  if (out.target.front() == '/') {
    split_query(out.target, out);
    return true;
  }
  if (out.target != "*") return interpret_absolute_form(out, problem);
  if (out.method != Method::options) return refuse(problem, 400, "only OPTIONS has the target *");
  out.path = out.target;
  out.query = {};
  return true;
}

}  // namespace spanwire::http
