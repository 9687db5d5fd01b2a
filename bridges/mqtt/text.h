// UTF-8 strings (MQTT 3.1.1, 1.5.3): what a topic, a client id and a user name may be made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spanwire::mqtt {

inline constexpr std::size_t max_text_size_bytes = 65'535;  // its size has two bytes

enum class Text : std::uint8_t {
  ok,
  ill_formed,  // surrogates and overlong forms included [MQTT-1.5.3-1]
  nul,         // U+0000 [MQTT-1.5.3-2]
  // What the standard leaves to the receiver, and mosquitto refuses: U+0001 to U+001F, U+007F to
  // U+009F, and the code points that Unicode will never assign.
  control,
  noncharacter,
};

// The first thing wrong with `text`. Its size is not checked. Also for what is to be sent: a
// subject of another wire may be any bytes.
Text check_text(std::string_view text);

}  // namespace spanwire::mqtt
