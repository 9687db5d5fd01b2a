// Outboxes (session/outbox.h) against the plainest model there is: a string.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "session/outbox.h"

using namespace spanwire;
using session::ChunkPool;
using session::Outbox;

namespace {

base::Ref<const bus::Message> message_of(const std::string& payload) {
  bus::MessageView view;
  view.route = view.subject = "s";
  view.payload = payload;
  return bus::Message::copy(view);
}

void append_reference(Outbox& outbox, const std::string& payload) {
  const auto message = message_of(payload);
  outbox.append(message, message->view().payload);
}

// The first bytes, through `vectors` vectors.
std::string first_bytes(const Outbox& outbox, std::size_t vectors) {
  std::vector<iovec> space(vectors);
  const std::size_t used = outbox.gather(space);
  std::string bytes;
  for (std::size_t i = 0; i < used; ++i) {
    CHECK(space[i].iov_len != 0);
    bytes.append(static_cast<const char*>(space[i].iov_base), space[i].iov_len);
  }
  return bytes;
}

std::string text(std::mt19937& rng, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>('a' + rng() % 26);
  return bytes;
}

std::size_t any_size(std::mt19937& rng) {
  const std::size_t up_to[] = {3, 60, 1100, 17'000, 70'000, 300'000};
  return rng() % up_to[rng() % std::size(up_to)];
}

}  // namespace

TEST_CASE("outbox: whatever goes in and however it is taken out, the bytes are a string's") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(seed);
    ChunkPool pool;
    {
      Outbox outbox(pool);
      std::string model;
      for (int step = 0; step < 300; ++step) {
        const unsigned choice = rng() % 10;
        if (choice < 3) {
          const std::string bytes = text(rng, any_size(rng));
          outbox.append(bytes);
          model += bytes;
        } else if (choice < 5) {
          const std::size_t asked = rng() % (Outbox::max_reserve + 1);
          const std::string bytes = text(rng, asked == 0 ? 0 : rng() % asked);
          char* const room = outbox.reserve(asked);
          if (!bytes.empty()) std::memcpy(room, bytes.data(), bytes.size());
          outbox.commit(bytes.size());
          model += bytes;
        } else if (choice < 7) {
          const std::string bytes = text(rng, any_size(rng));
          append_reference(outbox, bytes);
          model += bytes;
        } else if (choice < 9) {
          const std::size_t part = rng() % (model.size() + 1);
          outbox.consume(part);
          model.erase(0, part);
        } else if (rng() % 20 == 0) {
          outbox.clear();
          model.clear();
        }
        REQUIRE(outbox.size() == model.size());
        REQUIRE(outbox.empty() == model.empty());
        const std::string first = first_bytes(outbox, rng() % 70);
        REQUIRE(std::string_view(model).starts_with(first));
        if (step % 25 == 0) REQUIRE(first_bytes(outbox, 10'000) == model);
        if (model.empty()) REQUIRE(pool.lent_bytes() == 0);
      }
    }
    CHECK(pool.lent_bytes() == 0);
  }
}

TEST_CASE("outbox: every split of a write is continued where it ended") {
  ChunkPool pool;
  const std::string large(9000, 'r');
  for (std::size_t split = 0; split <= 9021; split += split < 40 || split > 8980 ? 1 : 97) {
    CAPTURE(split);
    Outbox outbox(pool);
    outbox.append("MSG a 1 9000\r\n");
    append_reference(outbox, large);
    outbox.append("\r\nPONG\r\n");
    const std::string whole = "MSG a 1 9000\r\n" + large + "\r\nPONG\r\n";
    REQUIRE(outbox.size() == whole.size());
    const std::size_t first = std::min(split, whole.size());
    outbox.consume(first);
    CHECK(first_bytes(outbox, 8) == whole.substr(first));
    outbox.append("more");
    CHECK(first_bytes(outbox, 8) == whole.substr(first) + "more");
  }
}

TEST_CASE("outbox: nothing is lent to an outbox without bytes") {
  ChunkPool pool;
  Outbox outbox(pool);
  CHECK(pool.lent_bytes() == 0);
  outbox.append("x");
  CHECK(pool.lent_bytes() == ChunkPool::steps[0]);
  outbox.consume(1);
  CHECK(pool.lent_bytes() == 0);
  outbox.append(std::string(500'000, 'x'));
  CHECK(pool.lent_bytes() >= 500'000);
  outbox.consume(499'999);
  CHECK(pool.lent_bytes() <= ChunkPool::steps[2]);
  outbox.clear();
  CHECK(pool.lent_bytes() == 0);
  append_reference(outbox, "by reference");
  CHECK(pool.lent_bytes() == 0);
}

TEST_CASE("outbox: a connection that sends little holds little") {
  ChunkPool pool;
  Outbox outbox(pool);
  std::size_t sent = 0;
  for (int i = 0; i < 3000; ++i) {
    outbox.append(std::string(100, 'x'));
    sent += 100;
    CHECK(pool.lent_bytes() <= std::max(ChunkPool::steps[0], sent + ChunkPool::steps[2]));
    if (sent <= 1000) CHECK(pool.lent_bytes() == ChunkPool::steps[0]);
    if (sent <= 16'000) CHECK(pool.lent_bytes() <= ChunkPool::steps[0] + ChunkPool::steps[1]);
  }
}

TEST_CASE("outbox: small pieces between references share their chunks") {
  ChunkPool pool;
  Outbox outbox(pool);
  std::string model;
  for (int i = 0; i < 1000; ++i) {
    const std::string head = "MSG subject.of.it 17 9000 " + std::to_string(i) + "\r\n";
    const std::string body(9000, static_cast<char>('a' + i % 26));
    outbox.append(head);
    append_reference(outbox, body);
    outbox.append("\r\n");
    model += head + body + "\r\n";
  }
  CHECK(pool.lent_bytes() < 4 * ChunkPool::steps[2]);
  while (!model.empty()) {
    const std::string first = first_bytes(outbox, 64);
    const std::size_t part = std::min<std::size_t>(first.size(), 100'001);
    REQUIRE(model.compare(0, part, first, 0, part) == 0);
    outbox.consume(part);
    model.erase(0, part);
  }
  CHECK(pool.lent_bytes() == 0);
}

TEST_CASE("outbox: a message stays alive until its last byte was taken") {
  ChunkPool pool;
  Outbox outbox(pool);
  const char* bytes = nullptr;
  {
    const auto message = message_of(std::string(20'000, 'm'));
    bytes = message->view().payload.data();
    outbox.append(message, message->view().payload);
  }
  outbox.consume(19'999);
  std::array<iovec, 1> vector;
  REQUIRE(outbox.gather(vector) == 1);
  CHECK(vector[0].iov_base == bytes + 19'999);
  CHECK(*static_cast<const char*>(vector[0].iov_base) == 'm');
}

TEST_CASE("outbox: the pool keeps a bounded store of chunks, and lends what it keeps") {
  ChunkPool pool;
  const session::Chunk first = pool.borrow(ChunkPool::steps[1]);
  CHECK(first.size == ChunkPool::steps[1]);
  pool.give_back(first);
  const session::Chunk again = pool.borrow(ChunkPool::steps[0] + 1);
  CHECK(again.data == first.data);
  pool.give_back(again);
  CHECK(pool.lent_bytes() == 0);
}
