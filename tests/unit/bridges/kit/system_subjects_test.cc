#include "bridges/kit/system_subjects.h"

#include <doctest/doctest.h>

using namespace spanwire;

TEST_CASE("system subjects: the server's own are told by their whole first token") {
  for (const char* subject :
       {"$SYS", "$SYS.broker", "$JS.x", "$MQTT.a", "$KV.b", "$O.c", "$SPW.d", "$SYS.>"}) {
    CAPTURE(subject);
    CHECK(kit::is_system_subject(subject));
  }
  for (const char* subject :
       {"", "$", "SYS", "$SYSTEM", "$S", "$sys.a", "a.$SYS", "$x.$JS", "/.$SYS", "$SYS//.a"}) {
    CAPTURE(subject);
    CHECK_FALSE(kit::is_system_subject(subject));
  }
}
