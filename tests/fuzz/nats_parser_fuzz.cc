// The NATS codec: a stream of client bytes gives the same commands and the same error whole and cut
// anywhere, and no view leaves the bytes that it was given. The first two bytes of the input choose
// the limits, the next two the cuts, the rest is the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "nats/codec.h"

using namespace spanwire;
using nats::Command;
using nats::Decode;
using nats::Verb;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  std::string commands;  // each field of each command, with its size before it
  Decode last = Decode::need_more;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

void append_field(std::string& out, std::string_view field) {
  out += std::to_string(field.size());
  out += ':';
  out += field;
}

void append_line(std::string& out, const Command& c) {
  append_field(out, nats::verb_name(c.verb));
  if (c.verb == Verb::ping || c.verb == Verb::pong || c.verb == Verb::ok) return;
  append_field(out, c.argument);
  if (c.verb == Verb::sub || c.verb == Verb::unsub) append_field(out, c.sid);
  if (c.verb == Verb::unsub) out += std::to_string(c.max);
  if (c.verb == Verb::sub) append_field(out, c.queue);
  if (c.verb != Verb::pub && c.verb != Verb::hpub && c.verb != Verb::sub) return;
  if (c.verb == Verb::sub) return append_field(out, c.subject);
  require(c.message.shows_route());
  append_field(out, c.message.subject);
  append_field(out, c.message.reply);
}

void append_payload(std::string& out, const Command& c) {
  if (c.verb != Verb::pub && c.verb != Verb::hpub) return;
  require(c.message.headers.size() == c.header_size);
  require(c.message.headers.size() + c.message.payload.size() == c.total_size);
  append_field(out, c.message.headers);
  append_field(out, c.message.payload);
}

// Decodes what stands in `pending` and takes it off.
void drain(std::vector<char>& pending, const nats::Limits& limits, Outcome& outcome) {
  std::string_view in(pending.data(), pending.size());
  Command command;
  while (true) {
    const auto [result, consumed] = nats::decode(in, limits, command);
    outcome.last = result;
    require(consumed <= in.size());
    if (result != Decode::ok) break;
    require(consumed > 0);
    append_line(outcome.commands, command);
    append_payload(outcome.commands, command);
    outcome.consumed += consumed;
    in.remove_prefix(consumed);
  }
  // A vector of just its size, so that a read behind the bytes is seen.
  pending = std::vector<char>(in.begin(), in.end());
}

bool ended(const Outcome& outcome) {
  return outcome.last != Decode::need_more && outcome.last != Decode::body;
}

Outcome decode_whole(std::string_view in, const nats::Limits& limits) {
  Outcome outcome;
  std::vector<char> pending(in.begin(), in.end());
  drain(pending, limits, outcome);
  return outcome;
}

Outcome decode_parts(std::string_view in, const nats::Limits& limits, base::Random& random) {
  Outcome outcome;
  std::vector<char> pending;
  while (!in.empty() && !ended(outcome)) {
    const std::size_t size = std::min<std::size_t>(1 + random.below(24), in.size());
    pending.insert(pending.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
    in.remove_prefix(size);
    drain(pending, limits, outcome);
  }
  return outcome;
}

// Decodes as soon as a line's end has arrived, so that every payload is still missing.
nats::Decoded decode_line(std::string_view in, const nats::Limits& limits, Command& out) {
  for (std::size_t end = in.find('\n'); end != std::string_view::npos;
       end = in.find('\n', end + 1)) {
    const nats::Decoded got = nats::decode(in.substr(0, end + 1), limits, out);
    if (got.result != Decode::need_more) return got;
  }
  return nats::decode(in, limits, out);
}

// Takes the body that `behind` begins with, as a session does after it took the line off.
Decode take_body(std::string_view behind, Command& command) {
  const std::string_view end =
      behind.substr(std::min<std::size_t>(command.total_size, behind.size()));
  if (!nats::payload_end.starts_with(end.substr(0, 2))) return Decode::unknown_operation;
  if (end.size() < 2) return Decode::body;
  command.message.headers = behind.substr(0, command.header_size);
  command.message.payload =
      behind.substr(command.header_size, command.total_size - command.header_size);
  return Decode::ok;
}

Outcome decode_bodies(std::string_view in, const nats::Limits& limits) {
  Outcome outcome;
  Command command;
  while (true) {
    auto [result, consumed] = decode_line(in, limits, command);
    if (result == Decode::body) {
      result = take_body(in.substr(consumed), command);
      consumed += command.total_size + nats::payload_end.size();
    }
    outcome.last = result;
    if (result != Decode::ok) return outcome;
    append_line(outcome.commands, command);
    append_payload(outcome.commands, command);
    outcome.consumed += consumed;
    in.remove_prefix(consumed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const nats::Limits limits{.control_line = data[0] < 128 ? data[0] : 4096U,
                            .payload = data[1] < 128 ? data[1] : 1U << 20U,
                            .headers = data[1] % 2 == 1};
  base::Random random(data[2] * 256U + data[3]);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 4, size - 4);
  const Outcome whole = decode_whole(stream, limits);
  require(decode_parts(stream, limits, random) == whole);
  require(decode_bodies(stream, limits) == whole);
  return 0;
}
