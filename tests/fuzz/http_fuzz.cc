// HTTP: the first byte of the input chooses limits and cuts, the others are what a connection
// receives. However it is cut, the same must be heard; a request that is accepted must mean the
// same when its parts are written down again; no value may break out of its field in an answer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "http/basic_auth.h"
#include "http/response.h"
#include "http/uri.h"
#include "tests/unit/http/feed.h"

using namespace spanwire;
using http_test::Connection;
using http_test::hear;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Small limits are within the reach of short inputs.
http::Limits limits_of(unsigned choice) {
  if (choice % 2 == 0) return http_test::usual_limits;
  return {.request_line_bytes = 64, .header_bytes = 128, .body_bytes = 20};
}

std::vector<std::size_t> random_cuts(std::string_view stream, std::uint64_t seed) {
  base::Random random(seed);
  std::vector<std::size_t> cuts;
  std::size_t cut = 0;
  while ((cut += 1 + random.below(40)) < stream.size()) cuts.push_back(cut);
  return cuts;
}

void check_cuts(std::string_view stream, unsigned choice) {
  const http::Limits limits = limits_of(choice);
  const std::string whole = http_test::hear_whole(stream, limits);
  require(hear(stream, {}, limits, Connection::Bodies::collected) == whole);
  const std::vector<std::size_t> cuts = random_cuts(stream, choice);
  require(hear(stream, cuts, limits) == whole);
  require(hear(stream, cuts, limits, Connection::Bodies::collected) == whole);
  if (stream.size() > 1024) return;  // byte by byte costs the square of the length
  std::vector<std::size_t> every;
  for (std::size_t i = 1; i < stream.size(); ++i) every.push_back(i);
  require(hear(stream, every, limits) == whole);
}

std::string written_down(const http::Request& request) {
  std::string text(http::method_name(request.method));
  text.append(" ").append(request.target);
  text += request.version == http::Version::http_1_1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
  for (const http::Header& header : request.headers) {
    text.append(header.name).append(":").append(header.value).append("\r\n");
  }
  return text + "\r\n";
}

void check_escapes(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    escaped += '%';
    escaped += "0123456789abcdef"[byte / 16];
    escaped += "0123456789ABCDEF"[byte % 16];
  }
  std::string storage;
  require(http::percent_decode(escaped, storage) == text);
  const auto plain = http::percent_decode(text, storage);
  require(!plain || plain->size() <= text.size());
  http::Query query;
  require(query.parse("k=" + escaped) && query.find("k") == text);
  if (query.parse(text)) require(query.size() <= http::Query::max_pairs);
}

void check_accepted(std::string_view stream) {
  http::RequestParser parser(http_test::usual_limits);
  http::Request request;
  if (parser.parse(stream, request) != http::Parse::ok) return;
  require(parser.consumed() <= stream.size());
  check_escapes(request.path);
  check_escapes(request.query);
  http::BasicCredentials credentials;
  http::parse_basic_auth(request.headers.value("Authorization"), credentials);
  const std::string again = written_down(request);
  http::Request reread;
  require(parser.parse(again, reread) == http::Parse::ok);
  require(parser.consumed() == again.size());
  require(http_test::dump(reread) == http_test::dump(request));
}

void check_answer(std::string_view value) {
  std::string out;
  http::Response(out, 200, {.keep_alive = true}).header("X-Value", value).finish();
  require(std::count(out.begin(), out.end(), '\n') == 4);
  require(std::count(out.begin(), out.end(), '\r') == 4);
  http::BasicCredentials credentials;
  http::parse_basic_auth("Basic " + std::string(value), credentials);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_cuts(stream, data[0]);
  check_accepted(stream);
  check_escapes(stream);
  check_answer(stream);
  return 0;
}
