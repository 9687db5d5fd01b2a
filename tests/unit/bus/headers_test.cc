#include "bus/headers.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace spanwire;

namespace {

constexpr std::string_view block = "NATS/1.0\r\nA: 1\r\nb:2\r\nA:  3 \r\n\r\n";

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs headers_of(std::string_view text) {
  Pairs pairs;
  bus::HeaderLines lines(text);
  bus::Header header;
  while (lines.next(header)) pairs.emplace_back(header.name, header.value);
  return pairs;
}

}  // namespace

TEST_CASE("headers: lines come in order, with values trimmed") {
  CHECK(headers_of(block) == Pairs{{"A", "1"}, {"b", "2"}, {"A", "3"}});
  CHECK(headers_of("NATS/1.0\r\n\r\n").empty());
  CHECK(headers_of("NATS/1.0\r\nempty:\r\nx: a:b\r\n\r\n") == Pairs{{"empty", ""}, {"x", "a:b"}});
}

TEST_CASE("headers: nothing is read behind the empty line") {
  CHECK(headers_of("NATS/1.0\r\nA: 1\r\n\r\nB: 2\r\n\r\n") == Pairs{{"A", "1"}});
}

TEST_CASE("headers: any bytes are taken, lines without name or colon passed over") {
  CHECK(headers_of("").empty());
  CHECK(headers_of("abcd").empty());
  CHECK(headers_of("x\r\n: no name\r\nno colon\r\nA: 1") == Pairs{{"A", "1"}});
  CHECK(headers_of("x\r\nA: 1\nB: 2\r\n") == Pairs{{"A", "1\nB: 2"}});
}

TEST_CASE("headers: a block cut at any byte gives the same headers up to there") {
  const Pairs all = headers_of(block);
  for (std::size_t cut = 0; cut < block.size(); ++cut) {
    const std::vector<char> part(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(cut));
    const Pairs got = headers_of({part.data(), part.size()});
    REQUIRE(got.size() <= all.size());
    for (std::size_t i = 0; i + 1 < got.size(); ++i) CHECK(got[i] == all[i]);
  }
}

TEST_CASE("headers: the first of a name is found, and case matters") {
  CHECK(bus::find_header(block, "A") == "1");
  CHECK(bus::find_header(block, "b") == "2");
  CHECK_FALSE(bus::find_header(block, "a"));
  CHECK_FALSE(bus::find_header(block, "NATS/1.0"));
  CHECK_FALSE(bus::find_header("", "A"));
}

TEST_CASE("headers: a status is three digits behind the version, with or without text") {
  const auto bare = bus::read_status("NATS/1.0 503\r\nNats-Subject: a\r\n\r\n");
  REQUIRE(bare);
  CHECK(bare->code == 503);
  CHECK(bare->text.empty());
  const auto told = bus::read_status("NATS/1.0 100 Idle Heartbeat\r\n\r\n");
  REQUIRE(told);
  CHECK(told->code == 100);
  CHECK(told->text == "Idle Heartbeat");
}

TEST_CASE("headers: other first lines have no status") {
  for (const char* text : {"NATS/1.0\r\n\r\n", "NATS/1.0 50\r\n\r\n", "NATS/1.0 5033\r\n\r\n",
                           "NATS/1.0 x03\r\n\r\n", "NATS/2.0 503\r\n\r\n", "503\r\n", ""}) {
    CAPTURE(text);
    CHECK_FALSE(bus::read_status(text));
  }
}

TEST_CASE("headers: one is appended behind the others, and begins a block where there is none") {
  std::string out;
  REQUIRE(bus::append_header(out, "A", "1"));
  CHECK(out == "NATS/1.0\r\nA: 1\r\n\r\n");
  REQUIRE(bus::append_header(out, "B", ""));
  CHECK(out == "NATS/1.0\r\nA: 1\r\nB: \r\n\r\n");
  CHECK(headers_of(out) == Pairs{{"A", "1"}, {"B", ""}});
  std::string status = "NATS/1.0 404 No\r\n\r\n";
  REQUIRE(bus::append_header(status, "A", "x y\t\xc3\xa9"));
  CHECK(status == "NATS/1.0 404 No\r\nA: x y\t\xc3\xa9\r\n\r\n");
}

TEST_CASE("headers: what would break the block is not appended") {
  for (const auto& wrong : Pairs{{"", "x"},
                                 {"a:b", "x"},
                                 {"a b", "x"},
                                 {"a\r\nB", "x"},
                                 {"a\x7f", "x"},
                                 {"a\t", "x"},
                                 {"a", "x\r\nB: y"},
                                 {"a", "x\n"},
                                 {"a", "\r"}}) {
    std::string out(block);
    CAPTURE(wrong.first);
    CAPTURE(wrong.second);
    CHECK_FALSE(bus::append_header(out, wrong.first, wrong.second));
    CHECK(out == block);
  }
}

TEST_CASE("headers: a block that does not end as one is left as it is") {
  for (const char* text : {"abcd", "NATS/1.0", "NATS/1.0\r\n", "NATS/1.0\r\nA: 1\r\n"}) {
    std::string out = text;
    CHECK_FALSE(bus::append_header(out, "A", "1"));
    CHECK(out == text);
  }
}
