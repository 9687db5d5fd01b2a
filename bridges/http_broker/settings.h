// What the HTTP broker can be told.
#pragma once

#include <cstddef>

#include "bridges/kit/last_values.h"
#include "web/site.h"

namespace spanwire::http_broker {

struct Settings {
  // shiftr.io's limits.
  std::size_t max_topic_characters = 128;
  std::size_t max_payload = 64 * 1024;  // bytes
  bool system_topics = false;           // $SYS, $JS and the like may be used
  kit::LastValuesSettings last_values;
  web::Settings web = {.kind = "http_broker"};
};

}  // namespace spanwire::http_broker
