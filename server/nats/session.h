// One NATS client: what it may do now, and what it hears.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/lifeline.h"
#include "nats/bridge.h"
#include "nats/codec.h"
#include "nats/connect.h"
#include "session/peer.h"
#include "session/session.h"

namespace spanwire::nats {

class Session final : public session::Session {
 public:
  Session(session::Peer& peer, Bridge& bridge);
  ~Session() override;

  void on_open() override;
  std::size_t on_bytes(std::string_view input) override;
  std::span<char> body_space() override;
  void on_body(std::size_t bytes) override;
  void on_timer(base::TimerId timer) override;
  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override;
  void on_relief() override;
  void on_closed(std::string_view reason) override;
  session::Description describe() const override;
  std::string subscription_name(std::uint64_t tag) const override;

 private:
  // A subscription by the client's own id; the tag of its targets points here.
  struct Sub {
    std::string sid;
    base::SubId id = base::SubId::none;
  };
  struct SubHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view sid) const {
      return absl::Hash<std::string_view>{}(sid);
    }
    std::size_t operator()(const std::unique_ptr<Sub>& sub) const { return (*this)(sub->sid); }
  };
  struct SubEqual {
    using is_transparent = void;
    static std::string_view key(std::string_view sid) { return sid; }
    static std::string_view key(const std::unique_ptr<Sub>& sub) { return sub->sid; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) == key(b);
    }
  };
  // A payload that is received straight into its message; kept for the next one.
  struct Body;

  void handle(Command& command);
  void handle_connect(std::string_view json);
  void connected(base::Ref<const account::Principal> principal);
  void drop_subscriptions();
  void discard_subs();
  void handle_login(base::Result<base::Ref<const account::Principal>> verdict);
  void handle_ping();
  void handle_pong();
  void handle_sub(const Command& command);
  void handle_unsub(const Command& command);
  void publish(bus::MessageView& message);
  void start_body(const Command& command, std::string_view begun);
  void answer_no_responders(std::string_view subject, std::string_view reply);

  // Of the log: session_trace.cc. Those of traces are called only while the tracer is on.
  std::string label() const;
  bool debugs() const;
  void debug(std::string_view text) const;
  void info(std::string_view text) const;
  void error(std::string_view text) const;
  void write_trace(std::string_view text) const;
  void trace_line(std::string_view line) const;
  void trace_command(const Command& command) const;
  void trace_payload(std::string_view subject, std::string_view headers,
                     std::string_view payload) const;
  void trace_message(std::string_view sid, const bus::MessageView& message,
                     bool with_headers) const;
  void trace_ended(std::string_view sid) const;
  void trace_all_ended() const;
  bool traces() const { return bridge_.tracer().on(); }

  bool refuse_first_byte(char byte) const;
  std::optional<std::string> subscription_violation(const Command& command) const;
  void send_info(bool connect_info);
  void send_line(std::string_view line, std::string_view traced_as);
  void send_ok();
  void send_error(std::string_view text);
  void fail(std::string_view text, std::string_view reason);
  void fail(Decode wrong, std::string_view input);
  void fail_silently(std::string_view text);
  void arm_ping(base::Duration after);
  void ping_due();

  session::Peer& peer_;
  Bridge& bridge_;
  Limits limits_;
  ConnectOptions options_;
  bus::OwnedPort port_;  // none before the client is let in
  absl::flat_hash_set<std::unique_ptr<Sub>, SubHash, SubEqual> subs_;
  std::unique_ptr<Body> body_;
  base::TimerId timer_ = base::TimerId::none;  // first for the login, then for PING
  base::Time last_input_{};
  base::Time ping_sent_{};  // before the first one, when the connection began
  base::Duration round_trip_{};
  std::uint32_t pings_out_ = 0;
  bool connect_seen_ = false;
  bool round_trip_known_ = false;  // a PONG has come
  bool first_pong_sent_ = false;
  bool paused_ = false;  // for a login or for relief
  bool logging_in_ = false;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::nats
