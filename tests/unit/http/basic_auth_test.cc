#include "http/basic_auth.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;

namespace {

// `user|password`, or the reason against it.
std::string read(std::string_view value) {
  http::BasicCredentials got{.user = "untouched", .password = ""};
  const http::BasicAuth result = http::parse_basic_auth(value, got);
  if (result == http::BasicAuth::ok) return got.user + "|" + got.password;
  CHECK(got.user == "untouched");
  return result == http::BasicAuth::malformed ? "malformed" : "other scheme";
}

}  // namespace

TEST_CASE("basic auth: user and password part at the first colon [RFC7617-2]") {
  CHECK(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "Aladdin|open sesame");
  CHECK(read("Basic dHJ5OnRyeQ==") == "try|try");
  CHECK(read("Basic YTpiOmM=") == "a|b:c");
  CHECK(read("Basic Og==") == "|");
  CHECK(read("Basic YTo=") == "a|");
  CHECK(read("Basic OmI=") == "|b");
  CHECK(read("Basic YTpi") == "a|b");
}

TEST_CASE("basic auth: the scheme has no case, and one space or more behind it [RFC9110-11.1]") {
  CHECK(read("basic YTpi") == "a|b");
  CHECK(read("BASIC   YTpi") == "a|b");
  for (const char* value :
       {"", "Bearer YTpi", "Basi YTpi", "BasicYTpi", "Basic\tYTpi", " Basic YTpi"}) {
    CAPTURE(value);
    CHECK(read(value) == "other scheme");
  }
}

TEST_CASE("basic auth: base64 is padded, canonical and without foreign bytes [RFC4648-3.5]") {
  for (const char* value :
       {"Basic", "Basic ", "Basic dHJ5OnRyeQ", "Basic dHJ5OnRyeQ=", "Basic dHJ5OnRyeQ===",
        "Basic dHJ5OnRyeR==", "Basic YTpiOmN=", "Basic YT pi", "Basic YTp i", "Basic YTpi ",
        "Basic YTpi,", "Basic YTp-", "Basic YTp_", "Basic ====", "Basic Y===", "Basic =YTp",
        "Basic YT==YTpi", "Basic YTpi\n"}) {
    CAPTURE(value);
    CHECK(read(value) == "malformed");
  }
}

TEST_CASE("basic auth: without a colon, or with a control character, it is malformed [RFC7617-2]") {
  CHECK(read("Basic YWI=") == "malformed");      // ab
  CHECK(read("Basic YQA6Yg==") == "malformed");  // a\0:b
  CHECK(read("Basic YTpiCg==") == "malformed");  // a:b\n
  CHECK(read("Basic YTp/") == "malformed");      // a:\x7f
  CHECK(read("Basic w6Q6w7Y=") == "ä|ö");        // UTF-8
}

TEST_CASE("basic auth: every cut of a value gives a clear answer [RFC7617-2]") {
  const std::string value = "Basic YTpiOmNk";
  for (std::size_t size = 0; size < value.size(); ++size) {
    CAPTURE(size);
    const std::string got = read(value.substr(0, size));
    if (size < 5)
      CHECK(got == "other scheme");
    else if (size == 10)
      CHECK(got == "a|b");
    else
      CHECK(got == "malformed");
  }
}
