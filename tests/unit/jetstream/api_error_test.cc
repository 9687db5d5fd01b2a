#include "jetstream/api_error.h"

#include <doctest/doctest.h>

using namespace spanwire;
using namespace spanwire::jetstream;

TEST_CASE("api error: a text stands where the description has its place") {
  CHECK(api_error(Err::stream_not_found) ==
        ApiError{.code = 404, .err_code = 10059, .description = "stream not found"});
  CHECK(api_error(Err::wrong_last_sequence, 7U).description == "wrong last sequence: 7");
  CHECK(api_error(Err::sequence_not_found, std::uint64_t{18446744073709551615U}).description ==
        "sequence 18446744073709551615 not found");
  CHECK(api_error(Err::stream_invalid_config, "because") ==
        ApiError{.code = 500, .err_code = 10052, .description = "because"});
  CHECK(api_error(Err::restore_subscribe_failed, "a.b", "why").description ==
        "JetStream unable to subscribe to restore snapshot a.b: why");
}

TEST_CASE("api error: a text with a place of its own is not filled again") {
  CHECK(api_error(Err::invalid_json, "{} {}").description == "invalid JSON: {} {}");
}

TEST_CASE("api error: it is written as nats-server writes it") {
  std::string out;
  json::Writer writer(out);
  write_api_error(writer, api_error(Err::stream_replicas_not_supported));
  CHECK(out == R"({"code":500,"err_code":10074,)"
               R"("description":"replicas \u003e 1 not supported in non-clustered mode"})");
}
