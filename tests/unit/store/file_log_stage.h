// A log in files on a disk in memory, with an owner that remembers what it was told.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/captured_log.h"
#include "tests/support/store_world.h"

namespace spanwire::test {

// Remembers what it was told, and repeats the notes that it has said.
struct RememberingOwner final : store::Log::Owner {
  void on_committed(store::Ticket ticket, const base::Status& status) override {
    committed = ticket;
    if (!status) failure = status.error().text;
  }
  void restore(std::string_view words) override {
    restored = words;
    const std::size_t end = std::min(words.size(), words.find(':'));
    for (words.remove_prefix(end); words.size() > 1;) {
      const std::size_t size = std::min(words.size(), words.find(':', 1));
      notes[static_cast<std::uint32_t>(words[1])] = words.substr(2, size - 2);
      words.remove_prefix(size);
    }
  }
  void replay_message(const store::Message& message) override {
    messages[message.sequence] = std::string(message.payload);
  }
  void replay_erased(store::Sequence sequence) override { messages.erase(sequence); }
  void replay_note(std::uint32_t kind, std::string_view note) override {
    notes[kind] = std::string(note);
  }
  void repeat_notes() override {
    ++repeated;
    for (const auto& [kind, note] : notes) log->note(kind, note);
  }
  std::string state() const override {
    std::string words = "state";
    for (const auto& [kind, note] : notes)
      words += ':' + std::string(1, static_cast<char>(kind)) + note;
    return words;
  }

  store::Log* log = nullptr;
  store::Ticket committed = 0;
  std::string failure;
  std::string restored;
  std::map<store::Sequence, std::string> messages;
  std::map<std::uint32_t, std::string> notes;
  int repeated = 0;
};

inline store::Settings small_segments() {
  store::Settings settings;
  settings.segment_first_bytes = 4096;
  settings.segment_bytes = 16384;
  return settings;
}

struct FileLogStage {
  explicit FileLogStage(store::Settings settings = small_segments(), bool journalled = false)
      : world(settings, journalled) {
    REQUIRE(world.open());
    log = world.create(owner);
    owner.log = log.get();
  }
  store::Sequence append(std::string_view subject, std::string_view payload) {
    return log->append({.subject = subject, .payload = payload, .time = now});
  }
  void commit() {
    log->commit();
    world.settle();
  }
  // Appends and commits; one message a round.
  void fill(std::size_t count, std::size_t payload_bytes = 100) {
    for (std::size_t i = 0; i < count; ++i) {
      append("a." + std::to_string(i % 10), std::string(payload_bytes, 'p'));
      commit();
    }
  }
  std::string read(store::Sequence sequence) {
    store::Message message;
    store::Read read = log->read(sequence, message);
    if (read == store::Read::later) {
      log->fetch(sequence, [] {});
      world.settle();
      read = log->read(sequence, message);
    }
    if (read == store::Read::gone) return "gone";
    if (read == store::Read::damaged) return "damaged";
    return read == store::Read::found ? std::string(message.payload) : "later";
  }
  // As a process that ends and starts again does: killed, unless the log was closed.
  base::Status reopen() {
    log.reset();
    world.close();
    if (const base::Status opened = world.open(); !opened) return opened;
    return recover();
  }
  // In the same process, after it failed.
  base::Status recover() {
    log.reset();
    owner = RememberingOwner();
    auto recovered = world.recover(owner);
    if (!recovered) return tl::unexpected(recovered.error());
    log = std::move(*recovered);
    owner.log = log.get();
    return {};
  }
  std::vector<std::string> segments() {
    const auto names = world.disk.open()->list("streams/1");
    REQUIRE(names);
    std::vector<std::string> found;
    for (const std::string& name : *names) {
      if (name.ends_with(".seg")) found.push_back("streams/1/" + name);
    }
    return found;
  }

  StoreWorld world;
  RememberingOwner owner;
  std::unique_ptr<store::Log> log;
  base::WallTime now = base::WallTime(std::chrono::seconds(1'000'000));
};

}  // namespace spanwire::test
