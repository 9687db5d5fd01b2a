#include "tests/contract/streams/stage.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "json/document.h"

namespace spanwire::test {
namespace {

using namespace streams;

template <class T>
void set_lost(Result<T>& out) {
  out = tl::unexpected(Failure{.kind = Failure::Kind::unknown, .text = "the Done was not called"});
}
void set_lost(std::vector<Result<Appended>>&) {}
void set_lost(std::optional<Failure>& out) {
  out = Failure{.kind = Failure::Kind::unknown, .text = "the Done was not called"};
}

}  // namespace

void TestReader::on_delivery(const Delivery& delivery) {
  CHECK(!ended);
  CHECK(delivery.message.reply.empty());
  if (!heard.empty()) heard += ' ';
  heard += fmt::format("{}={}", delivery.message.subject, delivery.message.payload);
  tokens.push_back(delivery.token);
  pending.push_back(delivery.pending);
  if (on_each) on_each(delivery.token);
}

void TestReader::on_ended(const Failure& why) {
  CHECK(!ended);
  ended = why;
}

template <class T>
T StreamsTest::lost() {
  FAIL_CHECK("the Done was not called");
  T out{};
  set_lost(out);
  return out;
}

template Result<StreamState> StreamsTest::lost();
template Result<StoredMessage> StreamsTest::lost();
template Result<std::uint64_t> StreamsTest::lost();
template Result<void> StreamsTest::lost();
template std::vector<Result<Appended>> StreamsTest::lost();
template std::optional<Failure> StreamsTest::lost();

StreamsTest::StreamsTest() : stage(make_streams_stage()), client(stage->make_client()) {}

StreamSpec StreamsTest::spec() {
  StreamSpec out;
  out.name = std::string("S");
  out.subjects = {"s.>"};
  out.in_memory = true;
  return out;
}

Result<StreamState> StreamsTest::ensure(StreamSpec spec) {
  return wait<Result<StreamState>>(
      [&](auto done) { client->ensure(std::move(spec), std::move(done)); });
}

std::vector<Result<Appended>> StreamsTest::append_all(std::vector<Appending> messages) {
  return wait<std::vector<Result<Appended>>>(
      [&](auto done) { client->append(stream, std::move(messages), std::move(done)); });
}

Result<Appended> StreamsTest::append(Appending message) {
  auto results = append_all({std::move(message)});
  REQUIRE(results.size() == 1);
  return std::move(results.front());
}

Sequence StreamsTest::put(std::string_view subject, std::string_view payload) {
  const auto appended = append({.subject = std::string(subject), .payload = std::string(payload)});
  REQUIRE_MESSAGE(appended, (appended ? "" : appended.error().text));
  return appended->sequence;
}

Result<StoredMessage> StreamsTest::read(Which which) {
  return wait<Result<StoredMessage>>(
      [&](auto done) { client->read(stream, std::move(which), std::move(done)); });
}

std::string StreamsTest::read_text(Which which) {
  const auto read_one = read(std::move(which));
  if (!read_one) return std::string(name_of(read_one.error().kind));
  const bus::MessageView view = read_one->message->view();
  return fmt::format("{} {}={}", read_one->sequence, view.subject, view.payload);
}

Result<std::uint64_t> StreamsTest::purge(Purging what) {
  return wait<Result<std::uint64_t>>(
      [&](auto done) { client->purge(stream, std::move(what), std::move(done)); });
}

Result<void> StreamsTest::drop(std::string_view name) {
  return wait<Result<void>>([&](auto done) { client->drop(name, std::move(done)); });
}

Result<void> StreamsTest::drop(std::string_view name, std::string_view durable) {
  return wait<Result<void>>([&](auto done) { client->drop(name, durable, std::move(done)); });
}

std::optional<Failure> StreamsTest::settle(Feed& feed, const AckToken& token) {
  return wait<std::optional<Failure>>([&](auto done) { feed.settle(token, std::move(done)); });
}

void StreamsTest::run_until(const TestReader& reader, std::size_t deliveries) {
  stage->run_until([&] { return reader.tokens.size() >= deliveries; });
}

void StreamsTest::lose_consumers() {
  const std::string answer = stage->api("CONSUMER.NAMES." + stream, "");
  const auto document = json::Document::parse(answer);
  REQUIRE(document);
  const auto names = document->root().find("consumers");
  REQUIRE(names);
  for (const json::Value name : *names) {
    stage->api(fmt::format("CONSUMER.DELETE.{}.{}", stream, *name.string()), "");
  }
}

std::string_view name_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::refused:
      return "refused";
    case Failure::Kind::wrong_last:
      return "wrong_last";
    case Failure::Kind::not_found:
      return "not_found";
    case Failure::Kind::unknown:
      return "unknown";
  }
  return "?";
}

}  // namespace spanwire::test
