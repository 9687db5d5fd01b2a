// API levels: how clients ask whether a server knows a feature. Each release that adds one counts
// on.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "json/writer.h"

namespace spanwire::jetstream {

// Of streams and consumers, sorted by key as Go writes it.
using Metadata = std::map<std::string, std::string>;

inline constexpr int api_level = 4;  // of nats-server 2.14

inline constexpr std::string_view required_level_key = "_nats.req.level";
inline constexpr std::string_view version_key = "_nats.ver";
inline constexpr std::string_view level_key = "_nats.level";

// Whether this server has the level that a request's header Nats-Required-Api-Level asks for; a
// header without a value asks for none. What is no number is not supported.
bool supports_level(std::string_view required);

// Writes the level that an asset needs into its metadata, and drops what only answers carry.
void set_required_level(Metadata& metadata, int level);
// Without what servers write into it.
Metadata own_metadata(Metadata metadata);
// The member "metadata", unless it is empty. With a version also what an answer shows: that, and
// this server's level.
void write_metadata(json::Writer& writer, const Metadata& metadata, std::string_view version);

}  // namespace spanwire::jetstream
