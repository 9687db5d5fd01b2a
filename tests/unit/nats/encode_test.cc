#include "nats/encode.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace spanwire;

namespace {

template <class Write>
std::string written(const Write& write) {
  std::array<char, 256> buffer{};
  buffer.fill('#');
  const char* const end = write(buffer.data());
  CHECK(*end == '#');  // it wrote no further than it says
  return std::string(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
}

}  // namespace

TEST_CASE("nats encode: a prefix serves HMSG, and MSG without its first byte") {
  const auto prefix = written([](char* out) { return nats::write_prefix(out, "a.b", "7"); });
  CHECK(prefix == "HMSG a.b 7 ");
  CHECK(prefix.size() == nats::prefix_size("a.b", "7"));
}

TEST_CASE("nats encode: the tail of a MSG, with and without reply") {
  CHECK(written([](char* out) { return nats::write_msg_tail(out, "", 0); }) == "0\r\n");
  CHECK(written([](char* out) { return nats::write_msg_tail(out, "r.1", 1048576); }) ==
        "r.1 1048576\r\n");
}

TEST_CASE("nats encode: the tail of an HMSG, with and without reply") {
  CHECK(written([](char* out) { return nats::write_hmsg_tail(out, "", 12, 14); }) == "12 14\r\n");
  CHECK(written([](char* out) { return nats::write_hmsg_tail(out, "r", 12, 14); }) ==
        "r 12 14\r\n");
}

TEST_CASE("nats encode: the longest tail fits its bound") {
  const auto tail = written(
      [](char* out) { return nats::write_hmsg_tail(out, "reply", UINT32_MAX, UINT32_MAX); });
  CHECK(tail == "reply 4294967295 4294967295\r\n");
  CHECK(tail.size() == nats::max_tail_size("reply"));
}

TEST_CASE("nats encode: numbers of every length") {
  const auto number_text = [](std::uint32_t number) {
    return written([number](char* out) { return nats::write_number(out, number); });
  };
  for (std::uint32_t power = 1; power < 1'000'000'000; power *= 10) {
    for (const std::uint32_t number : {power - 1, power, power + 1, power * 9 + power / 2}) {
      CHECK(number_text(number) == std::to_string(number));
    }
  }
  CHECK(number_text(UINT32_MAX) == "4294967295");
}

TEST_CASE("nats encode: errors are quoted, behind what is there") {
  std::string out = "+OK\r\n";
  nats::append_error(out, "Invalid Subject");
  CHECK(out == "+OK\r\n-ERR 'Invalid Subject'\r\n");
}

TEST_CASE("nats encode: no responders is a 503 that names the subject asked") {
  std::string out;
  nats::append_no_responders(out, "_INBOX.x.1", "2", "foo.bar");
  CHECK(out == "HMSG _INBOX.x.1 2 39 39\r\nNATS/1.0 503\r\nNats-Subject: foo.bar\r\n\r\n\r\n");
}
