#include "jetstream/api_level.h"

#include <charconv>

namespace spanwire::jetstream {
namespace {

void erase(Metadata& metadata, std::string_view key) {
  metadata.erase(std::string(key));
}

}  // namespace

bool supports_level(std::string_view required) {
  if (required.empty()) return true;
  if (required.starts_with('+')) required.remove_prefix(1);
  int level = 0;
  const char* end = required.data() + required.size();
  const auto [stop, error] = std::from_chars(required.data(), end, level);
  return error == std::errc() && stop == end && level <= api_level;
}

void set_required_level(Metadata& metadata, int level) {
  erase(metadata, version_key);
  erase(metadata, level_key);
  metadata.insert_or_assign(std::string(required_level_key), std::to_string(level));
}

Metadata own_metadata(Metadata metadata) {
  erase(metadata, version_key);
  erase(metadata, level_key);
  erase(metadata, required_level_key);
  return metadata;
}

void write_metadata(json::Writer& writer, const Metadata& metadata, std::string_view version) {
  Metadata shown = metadata;
  if (!version.empty()) {
    shown.insert_or_assign(std::string(version_key), std::string(version));
    shown.insert_or_assign(std::string(level_key), std::to_string(api_level));
  }
  if (shown.empty()) return;
  writer.key("metadata").begin_object();
  for (const auto& [key, value] : shown) writer.member(key, value);
  writer.end_object();
}

}  // namespace spanwire::jetstream
