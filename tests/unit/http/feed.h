// A connection's bytes through parser and body reader, cut anywhere, as one comparable text.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/body_reader.h"
#include "http/message.h"
#include "http/request_parser.h"

namespace spanwire::http_test {

inline constexpr http::Limits usual_limits{.body_bytes = 65'536};

inline std::string dump(const http::Request& request) {
  std::string text(http::method_name(request.method));
  const auto add = [&](std::string_view key, std::string_view value) {
    text.append(" ").append(key).append("=[").append(value).append("]");
  };
  add("target", request.target);
  add("path", request.path);
  add("query", request.query);
  add("host", request.host);
  text += request.version == http::Version::http_1_1 ? " 1.1" : " 1.0";
  if (request.keep_alive) text += " keep-alive";
  if (request.expect_continue) text += " expects-continue";
  if (request.upgrade) text += " upgrade";
  if (request.framing == http::Framing::chunked) text += " chunked";
  if (request.framing == http::Framing::length) {
    text += " length=" + std::to_string(request.content_length);
  }
  text += "\n";
  for (const http::Header& header : request.headers) {
    text.append("  [").append(header.name).append("]=[").append(header.value).append("]\n");
  }
  return text;
}

// A connection that keeps unconsumed bytes and hands them over in a block of just their size, so
// that the address sanitizer sees a read behind them.
class Connection {
 public:
  enum class Bodies { streamed, collected };

  explicit Connection(const http::Limits& limits, Bodies bodies = Bodies::streamed)
      : limits_(limits), bodies_(bodies), parser_(limits) {}

  void receive(std::string_view bytes) {
    kept_.append(bytes);
    const auto block = std::make_unique<char[]>(kept_.size());
    std::memcpy(block.get(), kept_.data(), kept_.size());
    std::string_view in(block.get(), kept_.size());
    while (status_ == 0 && step(in)) {
    }
    kept_ = std::string(in);
  }

  // The requests so far, then a line `error STATUS reason` if one was refused.
  const std::string& heard() const { return heard_; }
  std::size_t kept_bytes() const { return kept_.size(); }
  int status() const { return status_; }

 private:
  bool step(std::string_view& in) {
    if (!in_body_) return step_head(in);
    return bodies_ == Bodies::streamed ? step_reader(in) : step_collector(in);
  }

  bool step_head(std::string_view& in) {
    const http::Parse result = parser_.parse(in, request_);
    if (result == http::Parse::error) fail(parser_.problem());
    if (result != http::Parse::ok) return false;
    heard_ += dump(request_);
    in.remove_prefix(parser_.consumed());
    in_body_ = true;
    reader_.start(request_, limits_.body_bytes);
    collector_.start(request_, limits_.body_bytes);
    return true;
  }

  bool step_reader(std::string_view& in) {
    const http::BodyStep result = reader_.next(in);
    if (result == http::BodyStep::error) fail(reader_.problem());
    if (result == http::BodyStep::piece) body_ += reader_.piece();
    if (result == http::BodyStep::done) end_body(body_);
    in.remove_prefix(reader_.consumed());
    return result == http::BodyStep::piece || result == http::BodyStep::done;
  }

  bool step_collector(std::string_view& in) {
    const http::Parse result = collector_.feed(in);
    if (result == http::Parse::error) fail(collector_.problem());
    if (result == http::Parse::ok) end_body(collector_.body());
    in.remove_prefix(collector_.consumed());
    return result == http::Parse::ok;
  }

  void end_body(std::string_view body) {
    heard_.append("  body=[").append(body).append("]\n");
    body_.clear();
    in_body_ = false;
  }

  void fail(const http::Problem& problem) {
    status_ = problem.status;
    heard_ += "error " + std::to_string(status_) + " " + std::string(problem.reason) + "\n";
  }

  http::Limits limits_;
  Bodies bodies_;
  http::RequestParser parser_;
  http::BodyReader reader_;
  http::BodyCollector collector_;
  http::Request request_;
  std::string kept_;
  std::string body_;
  std::string heard_;
  bool in_body_ = false;
  int status_ = 0;
};

// What a connection hears of `stream` when it comes in the pieces that `cuts`, ascending, make.
inline std::string hear(std::string_view stream, std::span<const std::size_t> cuts,
                        const http::Limits& limits = usual_limits,
                        Connection::Bodies bodies = Connection::Bodies::streamed) {
  Connection connection(limits, bodies);
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    connection.receive(stream.substr(begin, cut - begin));
    begin = cut;
  }
  connection.receive(stream.substr(begin));
  return connection.heard();
}

inline std::string hear_whole(std::string_view stream, const http::Limits& limits = usual_limits) {
  return hear(stream, {}, limits);
}

// hear_whole(), after making sure that no cut, nor all of them at once, nor the way in which bodies
// are read changes it. Otherwise a text that says where they differ.
inline std::string hear_however_cut(std::string_view stream,
                                    const http::Limits& limits = usual_limits) {
  const std::string whole = hear_whole(stream, limits);
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    cuts.push_back(cut);
    const std::span<const std::size_t> one(&cut, 1);
    const std::string place = "differs when cut at " + std::to_string(cut);
    if (hear(stream, one, limits) != whole) return place + " from: " + whole;
    if (hear(stream, one, limits, Connection::Bodies::collected) != whole) {
      return place + ", collected, from: " + whole;
    }
  }
  if (hear(stream, cuts, limits) != whole) return "differs byte by byte from: " + whole;
  return whole;
}

// The status that refuses `stream`, however it is cut; 0 if nothing does, -1 if cuts matter.
inline int refusal(std::string_view stream, const http::Limits& limits = usual_limits) {
  if (hear_however_cut(stream, limits).starts_with("differs")) return -1;
  Connection connection(limits);
  connection.receive(stream);
  return connection.status();
}

}  // namespace spanwire::http_test
