#include <doctest/doctest.h>

#include <string>

#include "nats/codec.h"
#include "tests/unit/nats/streams.h"

using namespace spanwire;
using nats::check_cuts;
using nats::Decode;
using nats::decode_all;
using nats::decode_error;
using nats::decode_one;
using namespace std::string_view_literals;

namespace {

std::string blanks(std::size_t count) {
  return std::string(count, ' ');
}
std::string letters(std::size_t count) {
  return std::string(count, 'a');
}

}  // namespace

TEST_CASE("nats codec: every byte that starts no verb is refused at once") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string in(1, static_cast<char>(byte));
    const bool starts = "CcHhIiPpSsUu+-"sv.find(in[0]) != std::string_view::npos;
    CAPTURE(byte);
    CHECK(decode_all(in).last == (starts ? Decode::need_more : Decode::unknown_operation));
  }
}

TEST_CASE("nats codec: the first wrong byte of a verb is refused, its start is waited for") {
  for (const std::string_view verb :
       {"PUB ", "HPUB ", "SUB ", "UNSUB ", "PING", "PONG", "CONNECT", "INFO", "+OK", "-ERR "}) {
    for (std::size_t size = 1; size < verb.size(); ++size) {
      const std::string start(verb.substr(0, size));
      CAPTURE(start);
      CHECK(decode_all(start).last == Decode::need_more);
      CHECK(decode_all(start + '\1').last == Decode::unknown_operation);
      CHECK(decode_all(start + '\r').last == Decode::unknown_operation);
      CHECK(decode_all(start + '\n').last == Decode::unknown_operation);
    }
  }
}

TEST_CASE("nats codec: what is close to a verb is none") {
  for (const std::string_view in : {"PUX"sv,
                                    "PUBX"sv,
                                    "PUB\r"sv,
                                    "PUB\n"sv,
                                    "PUB\0a 0"sv,
                                    "SUBS"sv,
                                    "SUB\r\n"sv,
                                    "UNSUB\r\n"sv,
                                    "-ERR\r\n"sv,
                                    "-ERRx"sv,
                                    "MSG a 1 0\r\n"sv,
                                    "HMSG a 1 0 0\r\n"sv,
                                    "RS+ a"sv,
                                    "LS+ a"sv,
                                    "A+ a"sv,
                                    "\r\n"sv,
                                    " PING\r\n"sv,
                                    "\x10UB a 0\r\n\r\n"sv,
                                    "P\x15\x42 a 0\r\n\r\n"sv,
                                    "\x0bOK\r\n"sv,
                                    "\rERR x\r\n"sv,
                                    "PUB\ba"sv}) {
    CAPTURE(in);
    CHECK(decode_error(in) == Decode::unknown_operation);
  }
}

TEST_CASE("nats codec: a payload must end with CR LF, and the first wrong byte there is refused") {
  CHECK(decode_error("PUB a 1\r\nab") == Decode::unknown_operation);
  CHECK(decode_error("PUB a 1\r\na\n") == Decode::unknown_operation);
  CHECK(decode_error("PUB a 1\r\na\rX") == Decode::unknown_operation);
  CHECK(decode_error("PUB a 0\r\n\n") == Decode::unknown_operation);
  CHECK(decode_error("HPUB a 1 2\r\nabc") == Decode::unknown_operation);
}

TEST_CASE("nats codec: wrong numbers of arguments close in silence") {
  for (const char* in : {"PUB \r\n", "PUB a\r\n", "PUB a b c 1\r\n", "PUB a b c d e f 1\r\n",
                         "PUB 5\n", "HPUB a 6\r\n", "HPUB 6 6\r\n", "HPUB a b c 6 6\r\n",
                         "SUB \r\n", "SUB a\r\n", "SUB a q 1 2\r\n", "SUB a q 1 2 3 4\r\n",
                         "UNSUB \r\n", "UNSUB 1 2 3\r\n", "PUB \n\r\n", "SUB \n\n"}) {
    CAPTURE(in);
    CHECK(decode_error(in) == Decode::silent);
  }
}

TEST_CASE("nats codec: bad sizes close in silence") {
  for (const char* in :
       {"PUB a -1\r\n", "PUB a +1\r\n", "PUB a x\r\n", "PUB a 1x\r\n", "PUB a 0x1\r\n",
        "PUB a 1.0\r\n", "PUB a 1234567890\r\n", "PUB a 0000000002\r\nhi\r\n", "PUB a b \r\n",
        "HPUB a x 6\r\n", "HPUB a 6 x\r\n", "HPUB a -1 6\r\n", "HPUB a 7 6\r\n",
        "HPUB a 2000000 1048577\r\n"}) {
    CAPTURE(in);
    CHECK(decode_error(in) == Decode::silent);
  }
}

TEST_CASE("nats codec: HPUB is refused in silence where headers were not agreed on") {
  CHECK(decode_error("HPUB a 4 6\r\nabcdef\r\n", {.headers = false}) == Decode::silent);
  CHECK(decode_error("HPUB a 4 6\r\n", {.headers = false}) == Decode::silent);
  CHECK(decode_all("HPUB a 4 6", {.headers = false}).last == Decode::need_more);
  CHECK(decode_all("PUB a 0\r\n\r\n", {.headers = false}).commands.size() == 1);
}

TEST_CASE("nats codec: a payload over the limit is refused when its line is complete") {
  const nats::Limits limits{.payload = 10, .headers = true};
  CHECK(decode_all("PUB a 10\r\n", limits).last == Decode::body);
  CHECK(decode_all("PUB a 11\r", limits).last == Decode::need_more);
  CHECK(decode_error("PUB a 11\r\n", limits) == Decode::payload_too_large);
  CHECK(decode_error("PUB a 999999999\n", limits) == Decode::payload_too_large);
  CHECK(decode_all("HPUB a 5 10\r\n", limits).last == Decode::body);
  CHECK(decode_error("HPUB a 5 11\r\n", limits) == Decode::payload_too_large);
  CHECK(decode_all("PUB a 999999999\r\n", {.payload = UINT32_MAX}).last == Decode::body);
}

TEST_CASE("nats codec: an argument may have control_line bytes, complete or not") {
  const nats::Limits limits{.control_line = 20, .headers = true};
  for (const char* verb : {"PUB ", "HPUB ", "SUB ", "UNSUB ", "CONNECT ", "INFO ", "-ERR "}) {
    const std::string most = verb + letters(20);
    CAPTURE(verb);
    CHECK(decode_all(most, limits).last == Decode::need_more);
    CHECK(decode_all(most + "\r", limits).last == Decode::need_more);
    CHECK(decode_error(most + "a", limits) == Decode::line_too_long);
    CHECK(decode_error(most + "a\r\n", limits) == Decode::line_too_long);
    CHECK(decode_error(most + "\ra", limits) == Decode::line_too_long);
  }
  CHECK_FALSE(decode_one("PUB " + letters(18) + " 0\r\n\r\n", limits).empty());
  CHECK(decode_error("PUB " + letters(19) + " 0\r\n\r\n", limits) == Decode::line_too_long);
  CHECK_FALSE(decode_one("SUB " + letters(18) + " 1\r\n", limits).empty());
  CHECK(decode_error("SUB " + letters(19) + " 1\r\n", limits) == Decode::line_too_long);
}

TEST_CASE("nats codec: blanks behind an argument count for its length, those before it apart") {
  const nats::Limits limits{.control_line = 20};
  CHECK_FALSE(decode_one("PUB a 0" + blanks(17) + "\r\n\r\n", limits).empty());
  CHECK(decode_error("PUB a 0" + blanks(18) + "\r\n\r\n", limits) == Decode::line_too_long);
  CHECK_FALSE(decode_one("PUB" + blanks(21) + "a 0\r\n\r\n", limits).empty());
  CHECK(decode_all("PUB" + blanks(21), limits).last == Decode::need_more);
  CHECK(decode_error("PUB" + blanks(22), limits) == Decode::line_too_long);
  CHECK(decode_error("PUB" + blanks(22) + "a 0\r\n\r\n", limits) == Decode::line_too_long);
  CHECK(decode_error("CONNECT" + blanks(22) + "{}\r\n", limits) == Decode::line_too_long);
}

TEST_CASE("nats codec: where no argument is allowed, its first byte is refused in any cut") {
  const nats::Limits limits{.control_line = 0};
  CHECK(decode_all("PUB \r", limits).last == Decode::need_more);
  check_cuts("PUB \r", limits);
  CHECK(decode_error("PUB \r\n", limits) == Decode::line_too_long);
  CHECK(decode_error("PUB a", limits) == Decode::line_too_long);
  CHECK(decode_one("PING\r\n", limits) == "PING");
}

TEST_CASE("nats codec: what stands behind a bare verb is bounded too") {
  const nats::Limits limits{.control_line = 20};
  CHECK_FALSE(decode_one("PING" + blanks(20) + "\r\n", limits).empty());
  CHECK(decode_all("PING" + blanks(20) + "\r", limits).last == Decode::need_more);
  CHECK(decode_error("PING" + blanks(21), limits) == Decode::line_too_long);
  CHECK(decode_error("PONG" + blanks(21) + "\r\n", limits) == Decode::line_too_long);
}

TEST_CASE("nats codec: a line too long is told before its arguments are looked at") {
  const nats::Limits limits{.control_line = 4};
  CHECK(decode_error("PUB a b c d e\r\n", limits) == Decode::line_too_long);
  CHECK(decode_error("HPUB a 4 6\r\n", limits) == Decode::line_too_long);
  CHECK(decode_error("SUB a b c d\r\n", limits) == Decode::line_too_long);
}

TEST_CASE("nats codec: the errors that have a text have the reference's") {
  CHECK(nats::error_text(Decode::unknown_operation) == "Unknown Protocol Operation");
  CHECK(nats::error_text(Decode::line_too_long) == "maximum control line exceeded");
  CHECK(nats::error_text(Decode::payload_too_large) == "Maximum Payload Violation");
  CHECK(nats::error_text(Decode::silent).empty());
}
