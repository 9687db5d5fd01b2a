// The test wire: a protocol of lines, the smallest that uses the whole seam. Commands:
//   sub FILTER [QUEUE] · unsub INDEX [AFTER] · pub SUBJECT TEXT · ping · bye
// It sends `msg SUBJECT TEXT`, once for each target, `pong`, and `targets N` after a pub.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bus/router.h"
#include "session/session.h"
#include "tests/support/test_peer.h"

namespace spanwire::test {

class LineSession final : public session::Session {
 public:
  LineSession(bus::Router& router, session::Peer& peer,
              base::Ref<const account::Principal> principal);

  std::size_t on_bytes(std::string_view input) override;
  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override;
  void on_relief() override;
  void on_closed(std::string_view reason) override;
  session::Description describe() const override { return {.kind = "line"}; }

  bus::Port& port() { return *port_; }
  // What on_message answers from now on.
  void set_taken(bus::Taken taken) { taken_ = taken; }
  void set_echo(bool echo) { echo_ = echo; }
  void set_quiet(bool quiet) { quiet_ = quiet; }  // no `targets N` lines
  int reliefs() const { return reliefs_; }
  // Published from inside on_message, once for each message, while not empty.
  std::string echo_subject;

 private:
  void command(std::string_view line);
  void publish(std::string_view subject, std::string_view text);

  session::Peer& peer_;
  bus::OwnedPort port_;
  std::vector<base::SubId> subs_;
  bus::Taken taken_ = bus::Taken::all;
  bool echo_ = true;
  bool quiet_ = true;
  int reliefs_ = 0;
  bool waiting_ = false;  // paused until on_relief()
};

// A principal of an account, without permissions.
base::Ref<const account::Principal> principal_of(base::AccountId id = account::global_account);

// Connects a client to a loop of the world; the session is returned through `session` if given.
class World;
TestPeer& connect_line(World& world, std::size_t loop, LineSession** session = nullptr,
                       base::Ref<const account::Principal> principal = nullptr);

}  // namespace spanwire::test
