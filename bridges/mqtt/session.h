// One MQTT 3.1.1 client: what it may do now, and what it hears.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lifeline.h"
#include "bridges/kit/retained_replay.h"
#include "bridges/mqtt/bridge.h"
#include "bridges/mqtt/codec.h"
#include "bridges/mqtt/publisher.h"
#include "bridges/mqtt/trace.h"
#include "session/peer.h"
#include "session/session.h"

namespace spanwire::mqtt {

class Session final : public session::Session, private kit::ReplaySink, private Publisher::Owner {
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
  void on_shutdown() override;
  session::Description describe() const override;

  // From the bridge: the client id is this session's; another connection has asked for it.
  void on_client_id();
  void on_taken_over();

 private:
  // A subscription by its filter's text; the tag of its targets points here.
  struct Sub {
    std::string filter;
    base::SubId id = base::SubId::none;
    bool fresh = true;  // made in the present round: not acknowledged yet
  };
  struct SubHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view filter) const {
      return absl::Hash<std::string_view>{}(filter);
    }
    std::size_t operator()(const std::unique_ptr<Sub>& sub) const { return (*this)(sub->filter); }
  };
  struct SubEqual {
    using is_transparent = void;
    static std::string_view key(std::string_view filter) { return filter; }
    static std::string_view key(const std::unique_ptr<Sub>& sub) { return sub->filter; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key(a) == key(b);
    }
  };
  // The SUBSCRIBE packets that are answered together, once the store has told what is retained.
  struct Round {
    std::string acknowledgements;     // whole SUBACK packets
    std::vector<std::string> traced;  // the same for the log, while somebody asks
    std::vector<subject::Filter> filters;
    std::vector<Sub*> fresh;
  };
  // Why the client's input waits.
  enum Wait : std::uint8_t { for_login = 1, for_relief = 2, for_retained = 4, for_store = 8 };

  bool may_take(char first_byte);
  std::size_t take_partial(std::string_view rest, std::size_t packet_size);
  void handle(const ClientPacket& packet);
  void take(const Connect& packet);
  void take(const UnsupportedConnect& packet);
  void take(const Publish& packet);
  void take(const Puback& packet);
  void take(const Pubrec& packet);
  void take(const Pubrel& packet);
  void take(const Pubcomp& packet);
  void take(const Subscribe& packet);
  void take(const Unsubscribe& packet);
  void take(const Pingreq& packet);
  void take(const Disconnect& packet);

  bool is_acceptable(const Connect& packet);
  void log_in(const Connect& packet);
  void handle_login(base::Result<base::Ref<const account::Principal>> verdict);
  void claim_client_id(base::Ref<const account::Principal> principal);
  void refuse(ConnackCode code, std::string_view reason);

  SubackCode subscribe(std::string_view text);
  void begin_round();
  void on_subscribed() override;
  void on_retained(const bus::MessageView& message) override;
  void on_held(const bus::MessageView& message) override;
  bool deliver(const bus::MessageView& message, bus::Note* note, bool retain);
  bool has_room() const override;
  void on_replayed() override;

  void on_stored() override;
  void on_storing_failed(std::string_view reason) override;

  void settle(Published published);
  void fail(Malformed reason);
  void wait(Wait why);
  void stop_waiting(Wait why);

  session::Peer& peer_;
  Bridge& bridge_;
  Trace trace_;
  Publisher publisher_;
  bus::OwnedPort port_;                            // none before CONNACK 0
  base::Ref<const account::Principal> principal_;  // known before the port is open
  std::optional<ClientKey> claimed_;
  std::string client_id_;
  absl::flat_hash_set<std::unique_ptr<Sub>, SubHash, SubEqual> subs_;
  Round round_;
  base::TimerId timer_ = base::TimerId::none;  // first for CONNECT, then for the keep alive
  base::Duration silence_limit_{};             // 0: none
  base::Time last_input_{};
  std::uint8_t waits_ = 0;
  bool connect_seen_ = false;
  kit::RetainedReplay replay_;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::mqtt
