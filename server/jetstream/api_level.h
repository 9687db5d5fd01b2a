// API levels: how clients ask whether a server knows a feature. Each release that adds one counts
// on.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace spanwire::jetstream {

inline constexpr int api_level = 4;  // of nats-server 2.14

inline constexpr std::string_view required_level_key = "_nats.req.level";
inline constexpr std::string_view version_key = "_nats.ver";
inline constexpr std::string_view level_key = "_nats.level";

// Whether this server has the level that a request's header Nats-Required-Api-Level asks for; a
// header without a value asks for none. What is no number is not supported.
bool supports_level(std::string_view required);

// Writes the level that an asset needs into its metadata, and drops what only answers carry.
void set_required_level(std::map<std::string, std::string>& metadata, int level);
// What an answer shows: the metadata with this server's version and level, unless `version` is
// empty.
std::map<std::string, std::string> shown_metadata(
    const std::map<std::string, std::string>& metadata, std::string_view version);
// Without what servers write into it.
std::map<std::string, std::string> own_metadata(std::map<std::string, std::string> metadata);

}  // namespace spanwire::jetstream
