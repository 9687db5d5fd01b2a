// What the contract of streams::Client is held to: clients, with all that they need. Each kind of
// client has a make_streams_stage() of its own, and a test binary with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streams/client.h"

namespace spanwire::test {

// A JetStream without streams. Time may be the machine's: waits in tests are short.
class StreamsStage {
 public:
  virtual ~StreamsStage() = default;

  // One more client of the same account; ends before the stage.
  virtual std::unique_ptr<streams::Client> make_client() = 0;
  // Until `done`, or nothing more is to be expected.
  virtual void run_until(const std::function<bool()>& done) = 0;
  // Until all that was asked for is done.
  virtual void settle() = 0;
  virtual void advance(base::Duration by) = 0;
  // What JetStream answers to a request of its API, made behind the clients' backs.
  virtual std::string api(std::string_view operation, std::string_view body) = 0;
};

std::unique_ptr<StreamsStage> make_streams_stage();

// Keeps what it is fed. Its words name a delivery `subject=payload`.
class TestReader final : public streams::Reader {
 public:
  void on_delivery(const streams::Delivery& delivery) override;
  void on_caught_up() override { ++caught_up; }
  void on_ended(const streams::Failure& why) override;

  // What has come since the last call.
  std::string take() { return std::exchange(heard, {}); }

  std::string heard;
  std::vector<streams::AckToken> tokens;
  std::vector<std::uint64_t> pending;
  int caught_up = 0;
  std::optional<streams::Failure> ended;
  std::function<void(const streams::AckToken&)> on_each;
};

// A stage with a client, and short words for the tests: each call waits for its Done.
class StreamsTest {
 public:
  StreamsTest();

  template <class T, class Call>
  T wait(Call call) {
    std::optional<T> out;
    call([&out](T answer) { out.emplace(std::move(answer)); });
    stage->run_until([&out] { return out.has_value(); });
    return out ? std::move(*out) : lost<T>();
  }

  streams::Result<streams::StreamState> ensure(streams::StreamSpec spec);
  std::vector<streams::Result<streams::Appended>> append_all(
      std::vector<streams::Appending> messages);
  streams::Result<streams::Appended> append(streams::Appending message);
  // Must be stored.
  streams::Sequence put(std::string_view subject, std::string_view payload);
  streams::Result<streams::StoredMessage> read(streams::Which which);
  // `2 s.a=x`, or the kind of failure.
  std::string read_text(streams::Which which);
  streams::Result<std::uint64_t> purge(streams::Purging what);
  streams::Result<void> drop(std::string_view name);
  streams::Result<void> drop(std::string_view name, std::string_view durable);
  // Settles one delivery, and waits until that is kept.
  std::optional<streams::Failure> settle(streams::Feed& feed, const streams::AckToken& token);
  // Until so many words have come to the reader, or no more come.
  void run_until(const TestReader& reader, std::size_t deliveries);
  // Deletes the consumers of the stream behind the clients' backs.
  void lose_consumers();

  static streams::StreamSpec spec();  // stream S, with s.>, in memory

  std::unique_ptr<StreamsStage> stage;
  std::unique_ptr<streams::Client> client;
  std::string stream = "S";

 private:
  template <class T>
  static T lost();
};

std::string_view name_of(streams::Failure::Kind kind);
// `ok`, or the kind of failure.
template <class T>
std::string text_of(const streams::Result<T>& result) {
  return std::string(result ? "ok" : name_of(result.error().kind));
}

}  // namespace spanwire::test
