// The other end of a session: out bytes, flow, timers. Implemented over sockets by net and without
// them by tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "bus/receiver.h"
#include "session/outbox.h"

namespace spanwire::session {

class Turn;
class Session;

// Earlier messages of a peer are written within the turn once they are as many bytes.
inline constexpr std::size_t early_flush_bytes = 256 * 1024;

// How a connection ends when its session closes it.
enum class Ending : std::uint8_t {
  flush,    // what was sent before is written first, for as long as the write deadline allows
  discard,  // a peer that does not keep up gets nothing more
};

// How much may wait for a peer, in bytes. Above three quarters it is congested.
struct PendingLimit {
  std::size_t hard = 64U << 20;
  std::size_t soft() const { return hard / 4 * 3; }
};

class Peer {
 public:
  // `id`: a number that no other connection of this process has had. `remote`: address and port of
  // the other end, for people: `127.0.0.1:51515`, `[::1]:51515`.
  Peer(Turn& turn, std::uint64_t id, std::string remote);
  virtual ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::uint64_t id() const { return id_; }
  const std::string& remote() const { return remote_; }
  std::string_view remote_host() const;  // without the port and an IPv6 address's brackets

  // Bytes out. Nothing is written before the end of the turn, or before the peer holds
  // early_flush_bytes of earlier messages. A session that has called close() sends nothing more.
  void send(std::string_view bytes) {
    begin_send();
    outbox_.append(bytes);
  }
  void send(base::Ref<const bus::Message> message, std::string_view part) {
    begin_send();
    outbox_.append(std::move(message), part);
  }
  // Room to encode in place: at most Outbox::max_reserve; commit() follows at once.
  char* reserve(std::size_t bytes) {
    begin_send();
    return outbox_.reserve(bytes);
  }
  void commit(std::size_t bytes) { outbox_.commit(bytes); }

  std::size_t pending_bytes() const { return outbox_.size(); }
  void limit_pending(PendingLimit limit) { limit_ = limit; }
  // The session decides what happens above the hard limit: it knows whether it may drop.
  bool over_limit(std::size_t more = 0) const { return outbox_.size() + more > limit_.hard; }
  const base::Ref<bus::Gate>& gate() const { return gate_; }

  // No on_bytes until resume(). The rest of a read waits with the connection.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // Takes effect at the end of the turn; the session is then told on_closed(reason) and destroyed.
  // `reason` has static storage. The first call counts.
  void close(std::string_view reason, Ending ending = Ending::flush);
  bool closing() const { return closing_; }
  // One connection more than the server may have: greet it, say so and close.
  bool surplus() const { return surplus_; }

  // Calls Session::on_timer(the id) once. Cancelled with the connection.
  virtual base::TimerId arm(base::Duration after) = 0;
  virtual void disarm(base::TimerId timer) = 0;

  base::Time now() const;
  // When the bytes that on_bytes shows were read.
  base::WallTime read_time() const;
  base::WallTime start_time() const { return start_time_; }
  base::WallTime last_activity() const { return last_activity_; }
  const Session* session() const { return session_; }
  Turn& turn() { return turn_; }

 protected:
  friend class Turn;
  // Writes what it can, then calls wrote(). Called by the turn only, after the hand-over. If bytes
  // are left, the implementation calls takes_more() when the socket takes more, or at once
  // want_flush() if it has only had its share.
  virtual void flush() = 0;
  // Ends a connection whose session is gone already; what it still had to take goes nowhere. Called
  // by the turn only.
  virtual void drop() = 0;
  // Carries out close(): tells the session, destroys it, ends the connection (after what is left
  // in the outbox, for Ending::flush). Called by the turn only, once, after the flush.
  virtual void finish_close(std::string_view reason, Ending ending) = 0;

  void wrote(std::size_t bytes);  // takes them off the outbox; may open the gate again
  void want_flush() {
    if (!marked_) mark();
  }
  void takes_more();
  void drop_pending();  // what was sent and not written goes nowhere
  void note_activity(base::WallTime time) { last_activity_ = time; }
  void set_session(Session* session) { session_ = session; }
  void set_surplus() { surplus_ = true; }

  Outbox outbox_;

 private:
  void begin_send() {
    // Only what earlier routes have added: the hand-over of the present one may not be complete.
    if (outbox_.size() >= early_flush_bytes && route_serial_ != last_serial_) [[unlikely]] {
      note_backlog();
    }
    last_serial_ = route_serial_;
    want_flush();
  }
  void note_backlog();
  void mark();
  void note_pending();
  // Ends at once, whatever is pending, even if it is closing already.
  void give_up(std::string_view reason);

  Turn& turn_;
  const std::uint64_t& route_serial_;  // the router's
  std::uint64_t id_;
  std::string remote_;
  Session* session_ = nullptr;
  base::Ref<bus::Gate> gate_;
  PendingLimit limit_;
  base::WallTime start_time_;
  base::WallTime last_activity_;
  std::string_view close_reason_;
  Ending ending_ = Ending::flush;
  bool closing_ = false;
  bool surplus_ = false;
  bool ended_ = false;             // the session has been told that it is over
  bool marked_ = false;            // in the turn's list of peers to flush
  std::uint64_t last_serial_ = 0;  // the route in which bytes were last added
  // From here on an early flush is tried; further on for a peer that has left bytes behind.
  std::size_t early_flush_at_;
  std::size_t accounted_ = 0;  // what the turn's sum of pending bytes holds of this peer
  std::size_t position_ = 0;   // in the turn's list of all peers
};

}  // namespace spanwire::session
