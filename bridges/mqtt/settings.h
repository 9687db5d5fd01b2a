// What the MQTT wire can be told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "bridges/kit/retained_replay.h"

namespace spanwire::mqtt {

struct Settings {
  std::size_t max_packet_size = 2'000'000;  // bytes of a PUBLISH, as mosquitto; others: 128 KiB
  std::size_t max_pending = 64U << 20;      // bytes that wait for one client; above, QoS 0 is lost
  std::uint32_t max_subscriptions = 100'000;  // of one client
  std::uint32_t max_topic_levels = 200;       // of a topic or filter, as mosquitto
  std::size_t max_client_id = 1024;           // bytes
  std::size_t max_open_messages = 1000;       // of one client: of QoS 2, between PUBLISH and PUBREL
  // Of one client: those that wait for what keeps them; then nothing more is read from it.
  std::size_t max_unstored_messages = 1000;
  base::Duration connect_timeout = std::chrono::seconds(5);  // until the CONNECT has come
  // Topics below $SYS, $JS, $MQTT, $KV, $O and $SPW: the server's own subjects.
  bool system_topics = false;
  kit::ReplayLimits replay;
};

}  // namespace spanwire::mqtt
