// Small writers that streams' and consumers' configurations share: Go leaves out what is zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/writer.h"

namespace spanwire::jetstream {

inline void write_duration(json::Writer& writer, std::string_view name, base::Duration duration) {
  writer.member(name, static_cast<std::int64_t>(duration.count()));
}

template <class T>
void write_unless_zero(json::Writer& writer, std::string_view name, const T& value) {
  if (value != T{}) writer.member(name, value);
}

inline void write_unless_zero(json::Writer& writer, std::string_view name,
                              base::Duration duration) {
  if (duration.count() != 0) write_duration(writer, name, duration);
}

inline void write_unless_zero(json::Writer& writer, std::string_view name,
                              const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
}

// The first time that there is stands for Go's zero time (go_time.h).
inline void write_unless_zero(json::Writer& writer, std::string_view name,
                              const std::optional<base::WallTime>& time) {
  if (!time) return;
  if (*time == base::WallTime::min()) {
    writer.member(name, json::zero_time);
  } else {
    writer.member(name, *time);
  }
}

}  // namespace spanwire::jetstream
