#include "tools/loadgen/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "tools/loadgen/jetstream_wire.h"

namespace spanwire::loadgen {
namespace {

// The filler of a stream and who uses it then ask the same server: no answer may reach both.
std::string new_inbox() {
  static std::uint64_t opened = 0;
  return fmt::format("_INBOX.Hs4TnXq9RcUe1LwKpV{:04}.", ++opened);
}

}  // namespace

base::Result<json::Document> read_answer(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document) return document;
  const auto error = document->root().find("error");
  if (!error) return document;
  const auto reason = error->find("description");
  return base::fail(std::string(reason ? reason->string().value_or(text) : text));
}

base::Result<Api> Api::open(const Endpoint& server) {
  auto fd = dial(server);
  if (!fd) return tl::unexpected(fd.error());
  std::string inbox = new_inbox();
  const base::Status joined = NatsWire(false).join(fd->get(), {inbox + "*", ""});
  if (!joined) return tl::unexpected(joined.error());
  return Api(std::move(*fd), std::move(inbox));
}

void Api::append(std::string& out, const Request& request) {
  fmt::format_to(std::back_inserter(out), "PUB $JS.API.{} {}{} {}\r\n{}\r\n", request.subject,
                 inbox_, ++number_, request.body.size(), request.body);
}

base::Result<std::string> Api::receive() {
  for (;;) {
    const NatsEvent event = read_headed_event(waiting_);
    if (event.kind == NatsEvent::Kind::error) return base::fail(std::string(event.text));
    if (event.kind == NatsEvent::Kind::need_more) {
      if (base::Status got = receive_some(fd_.get(), waiting_); !got) {
        return tl::unexpected(got.error());
      }
      continue;
    }
    const bool ping = event.kind == NatsEvent::Kind::ping;
    const bool message = event.kind == NatsEvent::Kind::message;
    const std::uint32_t status = status_of(event.headers);
    std::string payload(event.payload);
    waiting_.erase(0, event.size_bytes);
    if (status == 503) return base::fail("nobody answers for JetStream: is it enabled?");
    if (message) return payload;
    if (!ping) continue;
    if (base::Status sent = send_all(fd_.get(), "PONG\r\n"); !sent) {
      return tl::unexpected(sent.error());
    }
  }
}

base::Result<json::Document> Api::ask(const Request& request) {
  std::string out;
  append(out, request);
  if (base::Status sent = send_all(fd_.get(), out); !sent) return tl::unexpected(sent.error());
  const auto answer = receive();
  if (!answer) return tl::unexpected(answer.error());
  auto document = read_answer(*answer);
  if (document) return document;
  return base::fail(fmt::format("{}: {}", request.subject, document.error().text));
}

base::Status Api::ask_all(std::uint64_t count, const std::function<Request(std::uint64_t)>& make) {
  constexpr std::uint64_t under_way = 64;
  for (std::uint64_t done = 0; done < count;) {
    const std::uint64_t some = std::min(under_way, count - done);
    std::string out;
    for (std::uint64_t i = 0; i < some; ++i) append(out, make(done + i));
    if (base::Status sent = send_all(fd_.get(), out); !sent) return sent;
    for (std::uint64_t i = 0; i < some; ++i) {
      const auto answer = receive();
      if (!answer) return tl::unexpected(answer.error());
      if (const auto read = read_answer(*answer); !read) return tl::unexpected(read.error());
    }
    done += some;
  }
  return {};
}

}  // namespace spanwire::loadgen
