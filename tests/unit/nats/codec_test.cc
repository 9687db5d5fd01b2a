#include "nats/codec.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "tests/unit/nats/streams.h"

using namespace spanwire;
using nats::check_cuts;
using nats::Decode;
using nats::decode_all;
using nats::decode_one;
using namespace std::string_view_literals;

TEST_CASE("nats codec: PUB with and without reply") {
  CHECK(decode_one("PUB a.b 5\r\nhello\r\n") == "PUB [a.b 5] a.b  0/5 <> <hello>");
  CHECK(decode_one("PUB a.b r.1 5\r\nhello\r\n") == "PUB [a.b r.1 5] a.b r.1 0/5 <> <hello>");
  CHECK(decode_one("PUB a 0\r\n\r\n") == "PUB [a 0] a  0/0 <> <>");
}

TEST_CASE("nats codec: HPUB parts headers and payload") {
  CHECK(decode_one("HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n") ==
        "HPUB [a 12 14] a  12/14 <NATS/1.0\r\n\r\n> <hi>");
  CHECK(decode_one("HPUB a r 4 6\r\nabcdef\r\n") == "HPUB [a r 4 6] a r 4/6 <abcd> <ef>");
  CHECK(decode_one("HPUB a 0 2\r\nhi\r\n") == "HPUB [a 0 2] a  0/2 <> <hi>");
  CHECK(decode_one("HPUB a 2 2\r\nhi\r\n") == "HPUB [a 2 2] a  2/2 <hi> <>");
}

TEST_CASE("nats codec: SUB with and without queue, UNSUB with and without maximum") {
  CHECK(decode_one("SUB a.* 7\r\n") == "SUB [a.* 7] a.*  7");
  CHECK(decode_one("SUB a.> q 7\r\n") == "SUB [a.> q 7] a.> q 7");
  CHECK(decode_one("UNSUB 7\r\n") == "UNSUB [7] 7 0");
  CHECK(decode_one("UNSUB 7 100\r\n") == "UNSUB [7 100] 7 100");
}

TEST_CASE("nats codec: an UNSUB maximum that is no size counts as none") {
  for (const char* max : {"0", "-1", "x", "1x", "1234567890"}) {
    CAPTURE(max);
    CHECK(decode_one(fmt::format("UNSUB 7 {}\r\n", max)) == fmt::format("UNSUB [7 {}] 7 0", max));
  }
}

TEST_CASE("nats codec: CONNECT and INFO give their JSON, with or without a blank before it") {
  CHECK(decode_one("CONNECT {\"a\":1}\r\n") == "CONNECT [{\"a\":1}]");
  CHECK(decode_one("CONNECT{}\r\n") == "CONNECT [{}]");
  CHECK(decode_one("CONNECT \t {} \r\n") == "CONNECT [{} ]");
  CHECK(decode_one("INFO {}\r\n") == "INFO [{}]");
  CHECK(decode_one("info{}\n") == "INFO [{}]");
}

TEST_CASE("nats codec: the end of a line is an argument where there is no other yet") {
  CHECK(decode_one("CONNECT\r\n") == "CONNECT [\r]");
  CHECK(decode_one("CONNECT \n{}\r\n") == "CONNECT [\n{}]");
}

TEST_CASE("nats codec: bare verbs ignore what follows on their line") {
  for (const char* verb : {"PING", "PONG", "+OK"}) {
    for (const char* behind : {"\r\n", "\n", "  \r\n", " foo\r\n", "X\n", "\r\r\n"}) {
      CAPTURE(behind);
      CHECK(decode_one(std::string(verb) + behind) == verb);
    }
  }
}

TEST_CASE("nats codec: a client's -ERR gives its text") {
  CHECK(decode_one("-ERR 'x y'\r\n") == "-ERR ['x y']");
  CHECK(decode_one("-err \r\n") == "-ERR [\r]");
}

TEST_CASE("nats codec: verbs in any case, blanks are spaces and tabs, LF alone ends a line") {
  CHECK(decode_one("pub a 2\nhi\r\n") == "PUB [a 2] a  0/2 <> <hi>");
  CHECK(decode_one("PuB\ta\tb\t2\nhi\r\n") == "PUB [a\tb\t2] a b 0/2 <> <hi>");
  CHECK(decode_one("PUB  \t a \t b   2 \t\r\nhi\r\n") == "PUB [a \t b   2 \t] a b 0/2 <> <hi>");
  CHECK(decode_one("hPuB a 1 2\nhi\r\n") == "HPUB [a 1 2] a  1/2 <h> <i>");
  CHECK(decode_one("sUb\ta \tq  1 \n") == "SUB [a \tq  1 ] a q 1");
  CHECK(decode_one("uNsUb\t1\t2\n") == "UNSUB [1\t2] 1 2");
  CHECK(decode_one("cOnNeCt\t{}\n") == "CONNECT [{}]");
  CHECK(decode_one("pInG\n") == "PING");
  CHECK(decode_one("pOnG\n") == "PONG");
  CHECK(decode_one("+oK\n") == "+OK");
}

TEST_CASE("nats codec: other control bytes belong to the words they stand in") {
  CHECK(decode_one("PUB a\rb 2\r\nhi\r\n") == "PUB [a\rb 2] a\rb  0/2 <> <hi>");
  CHECK(decode_one("PUB \nb 2\nhi\r\n") == "PUB [\nb 2] \nb  0/2 <> <hi>");
  CHECK(decode_one("PUB a\0b 2\nhi\r\n"sv) == "PUB [a\0b 2] a\0b  0/2 <> <hi>"sv);
  CHECK(decode_one("PUB \xff\xfe 2\nhi\r\n") == "PUB [\xff\xfe 2] \xff\xfe  0/2 <> <hi>");
  // In a subscription alone CR and LF part words.
  CHECK(decode_one("SUB a\r1 \r\n") == "SUB [a\r1 ] a  1");
  CHECK(decode_one("SUB \na 1\r\n") == "SUB [\na 1] a  1");
}

TEST_CASE("nats codec: words of every size and at every place are found") {
  for (std::size_t size = 1; size < 40; ++size) {
    const std::string s(size, 's');
    const std::string r(40 - size, 'r');
    CHECK(decode_one(fmt::format("PUB {} {} 3\r\nabc\r\n", s, r)) ==
          fmt::format("PUB [{} {} 3] {} {} 0/3 <> <abc>", s, r, s, r));
    CHECK(decode_one(fmt::format("PUB {}{}3\n\r\n\r\r\n", s, std::string(40 - size, ' '))) ==
          fmt::format("PUB [{}{}3] {}  0/3 <> <\r\n\r>", s, std::string(40 - size, ' '), s));
  }
}

TEST_CASE("nats codec: payloads of every size and any bytes") {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string payload = std::string(size / 2, '\r') + std::string(size - size / 2, '\n');
    CHECK(decode_one(fmt::format("PUB a {}\r\n{}\r\n", size, payload)) ==
          fmt::format("PUB [a {}] a  0/{} <> <{}>", size, size, payload));
  }
}

TEST_CASE("nats codec: leading zeros are part of a size, nine digits the most") {
  CHECK(decode_one("PUB a 002\r\nhi\r\n") == "PUB [a 002] a  0/2 <> <hi>");
  CHECK(decode_one("PUB a 000000002\r\nhi\r\n") == "PUB [a 000000002] a  0/2 <> <hi>");
}

TEST_CASE("nats codec: a stream of commands, cut at any byte, is the same") {
  const std::string_view stream =
      "CONNECT {\"verbose\":false,\"headers\":true}\r\nPING\r\nSUB a.b q 1\r\nSUB > 22\r\n"
      "PUB a.b 11\r\nhello\r\nwrld\r\nHPUB a.b r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n+OK\r\n"
      "pub x 0\n\r\nUNSUB 22 5\r\nINFO {}\nPUB a 3\r\nPIN\r\nPING\r\n";
  const nats::Outcome whole = decode_all(stream);
  CHECK(whole.commands.size() == 13);
  CHECK(whole.last == Decode::need_more);
  CHECK(whole.rest == 0);
  check_cuts(stream);
}

TEST_CASE("nats codec: a complete line without its payload tells the sizes and its own length") {
  nats::Command command;
  const std::string line = "HPUB a.b r 4 1000\r\n";
  for (const char* behind : {"", "x", "half of it"}) {
    const auto [result, consumed] = nats::decode(line + behind, nats::with_headers, command);
    CHECK(result == Decode::body);
    CHECK(consumed == line.size());
    CHECK(command.verb == nats::Verb::hpub);
    CHECK(command.header_size == 4);
    CHECK(command.total_size == 1000);
  }
  CHECK(nats::decode(line, nats::with_headers, command).result == Decode::body);
  CHECK(command.message.subject == "a.b");
  CHECK(command.message.reply == "r");
  CHECK(command.argument == "a.b r 4 1000");
}

TEST_CASE("nats codec: a payload without all of its end is a body still") {
  CHECK(decode_all("PUB a 1\r\n").last == Decode::body);
  CHECK(decode_all("PUB a 1\r\na").last == Decode::body);
  CHECK(decode_all("PUB a 1\r\na\r").last == Decode::body);
  CHECK(decode_all("PUB a 0\r\n").last == Decode::body);
}
