// What a stream of client bytes decodes to, as text, whole and cut in two at every byte.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "nats/codec.h"

namespace spanwire::nats {

inline constexpr Limits with_headers{.headers = true};

// A command in one line, with the fields of its verb.
inline std::string show(const Command& c) {
  switch (c.verb) {
    case Verb::pub:
    case Verb::hpub:
      return fmt::format("{} [{}] {} {} {}/{} <{}> <{}>", verb_name(c.verb), c.argument,
                         c.message.subject, c.message.reply, c.header_size, c.total_size,
                         c.message.headers, c.message.payload);
    case Verb::sub:
      return fmt::format("SUB [{}] {} {} {}", c.argument, c.subject, c.queue, c.sid);
    case Verb::unsub:
      return fmt::format("UNSUB [{}] {} {}", c.argument, c.sid, c.max);
    case Verb::connect:
    case Verb::info:
    case Verb::err:
      return fmt::format("{} [{}]", verb_name(c.verb), c.argument);
    default:
      return std::string(verb_name(c.verb));
  }
}

struct Outcome {
  std::vector<std::string> commands;
  Decode last = Decode::ok;  // need_more, body or the first error
  std::size_t rest = 0;      // bytes not consumed

  bool ended() const { return last != Decode::need_more && last != Decode::body; }
  std::string text() const {
    // What is left behind an error does not matter: the connection is closed.
    return fmt::format("{} / {} / {}", fmt::join(commands, " | "), static_cast<int>(last),
                       ended() ? 0 : rest);
  }
};

inline Outcome decode_all(std::string_view in, const Limits& limits = with_headers) {
  Outcome outcome;
  while (true) {
    Command command;
    const auto [result, consumed] = decode(in, limits, command);
    outcome.last = result;
    outcome.rest = in.size();
    if (result != Decode::ok) return outcome;
    REQUIRE(consumed > 0);
    REQUIRE(consumed <= in.size());
    outcome.commands.push_back(show(command));
    in.remove_prefix(consumed);
  }
}

// Feeds the stream in two parts, as a session does: what the first did not consume stays in front.
inline Outcome decode_cut(std::string_view in, std::size_t cut, const Limits& limits) {
  // A copy of its own size, so that a sanitizer sees any read behind the part.
  const std::vector<char> part(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(cut));
  Outcome outcome = decode_all({part.data(), part.size()}, limits);
  if (outcome.ended()) return outcome;
  const Outcome second = decode_all(in.substr(cut - outcome.rest), limits);
  outcome.commands.insert(outcome.commands.end(), second.commands.begin(), second.commands.end());
  outcome.last = second.last;
  outcome.rest = second.rest;
  return outcome;
}

inline void check_cuts(std::string_view in, const Limits& limits = with_headers) {
  const std::string whole = decode_all(in, limits).text();
  for (std::size_t cut = 0; cut <= in.size(); ++cut) {
    CAPTURE(cut);
    CHECK(decode_cut(in, cut, limits).text() == whole);
  }
}

// The one command of `in`, which must be all of it.
inline std::string decode_one(std::string_view in, const Limits& limits = with_headers) {
  const Outcome outcome = decode_all(in, limits);
  REQUIRE_MESSAGE(outcome.commands.size() == 1, std::string(in));
  CHECK(outcome.rest == 0);
  check_cuts(in, limits);
  return outcome.commands.front();
}

// The error that `in` ends with before it gave a command.
inline Decode decode_error(std::string_view in, const Limits& limits = with_headers) {
  const Outcome outcome = decode_all(in, limits);
  CHECK_MESSAGE(outcome.commands.empty(), std::string(in));
  CHECK(outcome.ended());
  check_cuts(in, limits);
  return outcome.last;
}

}  // namespace spanwire::nats
