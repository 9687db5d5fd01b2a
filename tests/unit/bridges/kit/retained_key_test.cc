#include "bridges/kit/retained_key.h"

#include <doctest/doctest.h>

#include <string>

using namespace spanwire;
using kit::retained_key;
using kit::subject_of_retained_key;

TEST_CASE("retained key: letters, digits and -_/. stay, every other byte is = and two digits") {
  CHECK(retained_key("plant.7.a-b_c") == "plant.7.a-b_c");
  CHECK(retained_key("a//b./.c") == "a//b./.c");
  CHECK(retained_key("a:b") == "a=3Ab");
  CHECK(retained_key("$x.=.é") == "=24x.=3D.=C3=A9");
}

TEST_CASE("retained key: every subject comes back from its key") {
  for (int byte = 0x21; byte < 0x100; ++byte) {
    if (byte == 0x7f || byte == '*' || byte == '>' || byte == '.') continue;
    const std::string subject = std::string("a.") + static_cast<char>(byte) + "b.c";
    CHECK(subject_of_retained_key(retained_key(subject)) == subject);
  }
}

TEST_CASE("retained key: what is no subject's key is none") {
  for (const char* key : {"", "=", "a=", "a=3", "a=3a", "a=zz", "a=41", "a=20b", "a=0D", "a=7F",
                          "a..b", ".a", "a.", "*", "a.=2A", "a.=3E", "a b"}) {
    CAPTURE(key);
    CHECK_FALSE(subject_of_retained_key(key));
  }
}
