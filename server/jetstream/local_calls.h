// What the calls of a local client do at the home of their stream, or at the account's directory.
#pragma once

#include <optional>
#include <vector>

#include "jetstream/reply.h"
#include "jetstream/stream_config.h"
#include "streams/client.h"

namespace spanwire::jetstream {

class Directory;
class Node;
struct Home;
struct Tenant;

// So many messages of an append are said to a stream at once, and committed before the next.
inline constexpr std::size_t appends_a_slice = 1000;

using StateReply = Reply<streams::Result<streams::StreamState>>;
using AppendReply = Reply<std::vector<streams::Result<streams::Appended>>>;
using ReadReply = Reply<streams::Result<streams::StoredMessage>>;
using PurgeReply = Reply<streams::Result<std::uint64_t>>;
using VoidReply = Reply<streams::Result<void>>;

// At the directory; nothing is being done with the stream.
void ensure_stream(Directory& directory, StreamConfig config, StateReply reply);
void drop_stream(Directory& directory, const std::string& name, VoidReply reply);

// At the home; without a stream: null.
void append_messages(Node& node, Tenant& tenant, std::string stream,
                     std::vector<streams::Appending> messages, AppendReply reply);
void read_message(Node& node, Home* home, streams::Which which, ReadReply reply);
void purge_stream(Node& node, Home* home, streams::Purging what, PurgeReply reply);
void drop_consumer(Node& node, Home* home, std::string_view durable, VoidReply reply);

}  // namespace spanwire::jetstream
