// Backups: what is told of a stream makes the same stream again, and nothing else makes one.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/sim/jetstream/machine.h"

using namespace spanwire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::JetStreamClient;
using test::Machine;
using test::member_of;

namespace {

std::string error_of(const std::string& answer) {
  return member_of(answer, "err_code");
}

struct Backup {
  std::string request;  // what STREAM.RESTORE takes
  std::vector<std::string> chunks;
  std::string status;  // of the end
};

// As clients do it: each chunk is acknowledged.
Backup back_up(Machine& machine, std::string_view stream, std::string_view more = {}) {
  Backup backup;
  const base::SubId sub = machine.client->subscribe("deliver");
  machine.client->take();
  const std::string answer = machine.api(fmt::format("STREAM.SNAPSHOT.{}", stream),
                                         fmt::format(R"({{"deliver_subject":"deliver"{}}})", more));
  REQUIRE_MESSAGE(error_of(answer).empty(), answer);
  const std::size_t config = answer.find("\"config\":");
  CHECK(machine.client->take().empty());  // it may not listen yet
  machine.world->advance(milliseconds(100));
  backup.request = '{' + answer.substr(config);
  for (bool ended = false; !ended;) {
    const auto got = machine.client->take();
    REQUIRE_FALSE(got.empty());
    for (const auto& one : got) {
      if (one.subject != "deliver") continue;
      ended = one.payload.empty();
      if (ended) {
        backup.status = one.headers;
      } else {
        backup.chunks.push_back(one.payload);
      }
      if (!one.reply.empty()) machine.client->publish(one.reply, "");
    }
    machine.world->settle();
  }
  machine.client->unsubscribe(sub);
  return backup;
}

std::string begin_restore(Machine& machine, std::string_view stream, const std::string& request) {
  const std::string answer = machine.api(fmt::format("STREAM.RESTORE.{}", stream), request);
  REQUIRE_MESSAGE(error_of(answer).empty(), answer);
  const std::string subject = member_of(answer, "deliver_subject");
  return subject.substr(1, subject.size() - 2);
}

// The last answer.
std::string restore(Machine& machine, std::string_view stream, const Backup& backup) {
  const std::string subject = begin_restore(machine, stream, backup.request);
  for (const std::string& chunk : backup.chunks) {
    std::string answer = machine.client->request(subject, chunk);
    if (!answer.empty()) return answer;
    CHECK(error_of(machine.api(fmt::format("STREAM.INFO.{}", stream))) == "10059");
  }
  return machine.client->request(subject, "");
}

// A stream with all that one can have.
void fill(Machine& machine) {
  machine.api("STREAM.CREATE.S",
              R"({"name":"S","subjects":["s.>"],"first_seq":5,"allow_msg_ttl":true})");
  for (int i = 1; i <= 40; ++i) {
    machine.client->request(fmt::format("s.{}", i % 7), fmt::format("payload {}", i),
                            fmt::format("Nats-Msg-Id: id{}\r\n", i));
    machine.world->advance(milliseconds(10));
  }
  machine.client->request("s.ttl", "short", "Nats-TTL: 3600\r\nNats-Msg-Id: t\r\n");
  machine.client->request("s.last", "last", "Nats-Msg-Id: last\r\n");
  for (const int gone : {5, 9, 10, 11, 30, 46}) {
    machine.api("STREAM.MSG.DELETE.S", fmt::format(R"({{"seq":{}}})", gone));
  }
  machine.api("CONSUMER.CREATE.S.c", R"({"stream_name":"S","config":{"durable_name":"c",)"
                                     R"("ack_policy":"explicit","filter_subject":"s.1"}})");
  CHECK(machine.pulled("c", "3").find("payload") != std::string::npos);
  machine.client->publish(machine.got[0].reply, "+ACK");
  machine.world->advance(milliseconds(200));
}

// All that clients see of it, but for the time now.
std::string seen(Machine& machine) {
  std::string text = machine.state("S");
  for (int sequence = 1; sequence <= 47; ++sequence) {
    text += machine.api("STREAM.MSG.GET.S", fmt::format(R"({{"seq":{}}})", sequence));
  }
  return text;
}

// When it was used last is not kept, over restarts neither.
std::string consumer(Machine& machine) {
  const std::string info = machine.api("CONSUMER.INFO.S.c");
  std::string text;
  for (const char* name : {"created", "filter_subject", "ack_policy", "consumer_seq", "stream_seq",
                           "num_ack_pending", "num_redelivered", "num_pending"}) {
    text += member_of(info, name) + ' ';
  }
  const std::size_t floor = info.find("\"ack_floor\":");
  for (const char* name : {"consumer_seq", "stream_seq"}) {
    text += member_of(info.substr(floor), name) + ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("jetstream backup: a restored stream is the one that was backed up") {
  Machine one(2);
  fill(one);
  const std::string before = seen(one);
  const std::string consumer_before = consumer(one);
  const std::string created = member_of(one.api("STREAM.INFO.S"), "created");
  const Backup backup = back_up(one, "S", R"(,"chunk_size":1024)");
  CHECK(backup.chunks.size() > 2);
  CHECK(backup.status == "NATS/1.0 204\r\n\r\n");
  CHECK(seen(one) == before);
  CHECK(back_up(one, "S", R"(,"jsck":true)").chunks.size() == 1);
  CHECK(one.world->server().tenants()[0]->usage.backups == 0);
  Machine other(2);
  other.world->advance(seconds(1));
  const std::string answer = restore(other, "S", backup);
  CHECK(
      answer.starts_with(R"({"type":"io.nats.jetstream.api.v1.stream_create_response","config":)"));
  CHECK(answer.find("did_create") == std::string::npos);
  CHECK(seen(other) == before);
  CHECK(consumer(other) == consumer_before);
  CHECK(member_of(other.api("STREAM.INFO.S"), "created") == created);
  for (const bool power : {false, true}) {
    if (power) {
      other.cut_power();
    } else {
      other.restart();
    }
    CHECK(seen(other) == before);
    CHECK(consumer(other) == consumer_before);
  }
  const auto duplicate = [&](std::string_view id) {
    return member_of(other.client->request("s.1", "x", fmt::format("Nats-Msg-Id: {}\r\n", id)),
                     "duplicate");
  };
  CHECK(duplicate("id2") == " true");
  CHECK(duplicate("id1") == " true");   // its message is gone
  CHECK(duplicate("last") == " true");  // the last one was, too
  CHECK(duplicate("new") == "");
  CHECK(member_of(other.client->request("s.1", "x"), "seq") == "48");
  CHECK(member_of(other.api("INFO"), "consumers") == "1");
  CHECK(other.world->server().tenants()[0]->usage.restores == 0);
  other.world->advance(std::chrono::hours(2));
  CHECK(error_of(other.api("STREAM.MSG.GET.S", R"({"seq":45})")) == "10037");
}

TEST_CASE("jetstream backup: without consumers, into memory, and of a stream without messages") {
  Machine one;
  fill(one);
  Backup backup = back_up(one, "S", R"(,"no_consumers":true)");
  CHECK(backup.status.empty());
  one.api("STREAM.DELETE.S");
  backup.request.replace(backup.request.find(R"("storage":"file")"), 16, R"("storage":"memory")");
  CHECK(error_of(restore(one, "S", backup)).empty());
  CHECK(member_of(one.api("STREAM.INFO.S"), "consumer_count") == "0");
  CHECK(member_of(one.api("STREAM.INFO.S"), "last_seq") == "46");
  CHECK(member_of(one.api("STREAM.INFO.S"), "messages") == "36");
  one.api("STREAM.PURGE.S");
  const Backup empty = back_up(one, "S");
  one.api("STREAM.DELETE.S");
  CHECK(error_of(restore(one, "S", empty)).empty());
  CHECK(member_of(one.client->request("s.1", "x"), "seq") == "47");
}

TEST_CASE("jetstream backup: limits that are lower than the backup's hold at once") {
  Machine one;
  fill(one);
  Backup backup = back_up(one, "S");
  one.api("STREAM.DELETE.S");
  backup.request.replace(backup.request.find(R"("max_msgs":-1)"), 13, R"("max_msgs":2)");
  CHECK(error_of(restore(one, "S", backup)).empty());
  CHECK(member_of(one.api("STREAM.INFO.S"), "messages") == "2");
  CHECK(member_of(one.api("STREAM.INFO.S"), "last_seq") == "46");
}

TEST_CASE("jetstream backup: what is cut or changed anywhere restores nothing") {
  Machine one;
  one.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})");
  for (int i = 0; i < 3; ++i) one.client->request("s.1", "payload");
  one.api("CONSUMER.CREATE.S.c", R"({"stream_name":"S","config":{"durable_name":"c"}})");
  const Backup backup = back_up(one, "S");
  one.api("STREAM.DELETE.S");
  REQUIRE(backup.chunks.size() == 1);
  const std::string& whole = backup.chunks[0];
  Backup bad = backup;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    bad.chunks[0] = whole.substr(0, at);
    if (at != 0) CHECK(error_of(restore(one, "S", bad)) == "10062");
    bad.chunks[0] = whole;
    bad.chunks[0][at] = static_cast<char>(bad.chunks[0][at] ^ 0x10);
    CHECK(error_of(restore(one, "S", bad)) == "10062");
  }
  bad.chunks = {};
  CHECK(error_of(restore(one, "S", bad)) == "10062");
  bad.chunks = {whole, "x"};
  CHECK(error_of(restore(one, "S", bad)) == "10062");
  bad.chunks = {std::string("\xff\x06\x00\x00S2sTwO", 10)};
  CHECK(restore(one, "S", bad).find("not a backup of Spanwire") != std::string::npos);
  CHECK(member_of(one.api("STREAM.NAMES"), "total") == "0");
  CHECK_FALSE(one.disk.has("streams/2/1.seg"));
  bad.chunks.clear();
  for (const char byte : whole) bad.chunks.emplace_back(1, byte);
  CHECK(error_of(restore(one, "S", bad)).empty());
  CHECK(member_of(one.api("STREAM.INFO.S"), "messages") == "3");
}

TEST_CASE("jetstream backup: a restore that a power cut or a silent client ends leaves nothing") {
  Machine one;
  fill(one);
  const Backup backup = back_up(one, "S", R"(,"chunk_size":1024)");
  one.api("STREAM.DELETE.S");
  for (const bool power : {false, true}) {
    const std::string subject = begin_restore(one, "S", backup.request);
    CHECK(one.client->request(subject, backup.chunks[0]).empty());
    if (power) {
      one.cut_power();
    } else {
      one.world->advance(seconds(6));
    }
    CHECK(one.client->request(subject, backup.chunks[1]) == "503");
    CHECK(member_of(one.api("STREAM.NAMES"), "total") == "0");
    CHECK(one.world->server().tenants()[0]->usage.restores == 0);
    CHECK(one.world->server().tenants()[0]->usage.file_bytes == 0);
  }
  const std::string left = begin_restore(one, "S", backup.request);
  one.client->request(left, backup.chunks[0]);
  one.restart();
  CHECK(member_of(one.api("STREAM.NAMES"), "total") == "0");
}

TEST_CASE("jetstream backup: a restored stream is there wholly or not at all after a power cut") {
  Backup backup;
  {
    Machine one;
    fill(one);
    backup = back_up(one, "S");
  }
  int there = 0;
  for (std::uint64_t cut = 1; cut <= 40; ++cut) {
    Machine one;
    one.random = base::Random(cut);
    one.disk.cut_at(one.disk.changes() + cut);
    std::string answer;
    const std::string begun = one.client->request("$JS.API.STREAM.RESTORE.S", backup.request);
    const std::string subject = member_of(begun, "deliver_subject");
    if (subject.size() > 2) {
      const std::string to = subject.substr(1, subject.size() - 2);
      for (const std::string& chunk : backup.chunks) one.client->request(to, chunk);
      answer = one.client->request(to, "");
    }
    one.cut_power();
    const bool is_there = member_of(one.api("STREAM.NAMES"), "total") == "1";
    if (answer.find("\"created\"") != std::string::npos) CHECK(is_there);
    if (is_there) CHECK(member_of(one.api("STREAM.INFO.S"), "messages") == "36");
    there += is_there ? 1 : 0;
  }
  CHECK(there > 3);
  CHECK(there < 37);
}

TEST_CASE("jetstream backup: what is refused") {
  Machine one;
  one.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})");
  const auto snapshot = [&](std::string_view name, std::string_view body) {
    return error_of(one.api(fmt::format("STREAM.SNAPSHOT.{}", name), body));
  };
  CHECK(snapshot("S", "") == "10003");
  CHECK(snapshot("S", "{}") == "10003");
  CHECK(snapshot("S", "x") == "10025");
  CHECK(snapshot("S", R"({"deliver_subject":"a","bogus":1})") == "10025");
  CHECK(snapshot("S", R"({"deliver_subject":""})") == "10015");
  CHECK(snapshot("S", R"({"deliver_subject":"a.*"})") == "10015");
  CHECK(snapshot("N", R"({"deliver_subject":"a"})") == "10059");
  Backup backup = back_up(one, "S");
  const auto refused = [&](std::string_view name, std::string_view body) {
    return error_of(one.api(fmt::format("STREAM.RESTORE.{}", name), body));
  };
  CHECK(refused("S", "") == "10003");
  CHECK(refused("S", "zz") == "10025");
  CHECK(refused("S", R"({"config":{"name":"Q"},"state":{}})") == "10056");
  CHECK(refused("S", R"({"config":{},"state":{}})") == "10130");
  CHECK(refused("S", backup.request) == "10130");
  CHECK(refused("N", R"({"config":{"num_replicas":3},"state":{}})") == "10074");
  one.api("STREAM.DELETE.S");
  one.api("STREAM.CREATE.T", R"({"name":"T","subjects":["s.1"]})");
  CHECK(error_of(restore(one, "S", backup)) == "10065");
  one.api("STREAM.DELETE.T");
  // The name is nobody's until the end.
  const std::string first = begin_restore(one, "S", backup.request);
  const std::string second = begin_restore(one, "S", backup.request);
  for (const std::string& to : {first, second}) one.client->request(to, backup.chunks[0]);
  CHECK(error_of(one.client->request(second, "")).empty());
  CHECK(error_of(one.client->request(first, "")) == "10130");
  one.api("STREAM.DELETE.S");
  Backup other = backup;
  other.request.replace(other.request.find(R"("name":"S")"), 10, R"("name":"Q")");
  CHECK(restore(one, "Q", other).find("stream names do not match") != std::string::npos);
  const std::string hasty = begin_restore(one, "S", backup.request);
  one.client->publish(hasty, backup.chunks[0]);
  one.world->settle();
  CHECK(one.client->request(hasty, "") == "503");
}

TEST_CASE("jetstream backup: no more is under way than the window, and silence ends it") {
  Machine one;
  one.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})");
  for (int i = 0; i < 100; ++i) one.client->publish("s.1", std::string(100, 'x'));
  one.world->settle();
  const base::SubId sub = one.client->subscribe("deliver");
  const char* asked = R"({"deliver_subject":"deliver","chunk_size":1024,"window_size":3072})";
  one.api("STREAM.SNAPSHOT.S", asked);
  one.world->advance(milliseconds(100));
  auto got = one.client->take();
  REQUIRE(got.size() == 3);
  CHECK(got[2].reply.ends_with(".1024.3"));
  one.client->publish(got[0].reply, "");
  one.world->settle();
  CHECK(one.client->take().size() == 1);
  one.world->advance(seconds(6));
  CHECK(one.client->heard() == "deliver=408 No Flow Response");
  CHECK(one.world->server().tenants()[0]->usage.backups == 0);
  one.api("STREAM.SNAPSHOT.S", asked);
  one.world->advance(milliseconds(100));
  got = one.client->take();
  one.client->unsubscribe(sub);
  one.client->publish(got[0].reply, "");
  one.world->settle();
  CHECK(one.world->server().tenants()[0]->usage.backups == 0);
  // Nobody ever listens.
  one.api("STREAM.SNAPSHOT.S", asked);
  CHECK(one.world->server().tenants()[0]->usage.backups == 1);
  for (int i = 0; i < 60; ++i) one.world->advance(milliseconds(50));
  one.world->advance(seconds(6));
  CHECK(one.world->server().tenants()[0]->usage.backups == 0);
  for (std::uint64_t i = 0; i < jetstream::max_backups; ++i) one.api("STREAM.SNAPSHOT.S", asked);
  CHECK(error_of(one.api("STREAM.SNAPSHOT.S", asked)) == "10064");
  one.api("STREAM.DELETE.S");
  CHECK(one.world->server().tenants()[0]->usage.backups == 0);
}

TEST_CASE("jetstream backup: a stream that is used goes on, and its messages come from the disk") {
  Machine one;
  one.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})");
  for (int i = 0; i < 50; ++i) one.client->publish("s.1", std::string(100, 'x'));
  one.world->settle();
  one.restart();
  one.disk.set_cold(true);
  one.client->subscribe("deliver");
  const std::string told = one.api(
      "STREAM.SNAPSHOT.S", R"({"deliver_subject":"deliver","chunk_size":1024,"window_size":1024})");
  one.world->advance(milliseconds(100));
  Backup backup{.request = '{' + told.substr(told.find("\"config\":")), .chunks = {}, .status = {}};
  for (bool ended = false; !ended;) {
    for (const auto& chunk : one.client->take()) {
      ended = chunk.payload.empty();
      if (!ended) backup.chunks.push_back(chunk.payload);
      one.client->request("s.2", "meanwhile");
      if (!chunk.reply.empty()) one.client->publish(chunk.reply, "");
    }
    one.world->settle();
  }
  CHECK(std::stoi(member_of(one.api("STREAM.INFO.S"), "messages")) > 55);
  one.api("STREAM.DELETE.S");
  CHECK(error_of(restore(one, "S", backup)).empty());
  CHECK(member_of(one.api("STREAM.INFO.S"), "messages") == "50");
}

TEST_CASE("jetstream backup: advisories") {
  Machine one;
  one.api("STREAM.CREATE.S", R"({"name":"S","subjects":["s.>"]})");
  one.client->request("s.1", "x");
  JetStreamClient watcher(*one.world);
  watcher.subscribe("$JS.EVENT.ADVISORY.STREAM.>");
  const auto events = [&] {
    std::string text;
    for (const auto& event : watcher.take()) {
      text +=
          event.subject.substr(26) + ' ' + member_of(event.payload, "type").substr(31) + ' ' +
          (event.payload.find(R"("client":{"acc":"$G"})") == std::string::npos ? "" : "client ");
    }
    return text;
  };
  const Backup backup = back_up(one, "S");
  CHECK(
      events() ==
      "SNAPSHOT_CREATE.S snapshot_create\" client SNAPSHOT_COMPLETE.S snapshot_complete\" client ");
  one.api("STREAM.DELETE.S");
  events();
  restore(one, "S", backup);
  CHECK(events() ==
        "RESTORE_CREATE.S restore_create\" client CREATED.S stream_action\" "
        "RESTORE_COMPLETE.S restore_complete\" client ");
}
