// One HTTP/1.1 client: reads requests, finds their routes and writes the answers in order.
//
// A request is read only when the one before is answered. Meanwhile, and while a login is checked,
// the bus is full, or the client does not take its answers, the connection is paused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/lifeline.h"
#include "http/body_reader.h"
#include "http/request_parser.h"
#include "http/response.h"
#include "session/peer.h"
#include "session/session.h"
#include "web/answer.h"
#include "web/request.h"
#include "web/site.h"

namespace spanwire::web {

class Session final : public session::Session, private Client {
 public:
  Session(session::Peer& peer, Site& site);
  ~Session() override;

  void on_open() override;
  std::size_t on_bytes(std::string_view input) override;
  void on_timer(base::TimerId timer) override;
  bus::Taken on_message(std::span<const bus::Target> targets,
                        const bus::MessageView& message) override;
  void on_relief() override;
  void on_closed(std::string_view reason) override;
  session::Description describe() const override;

 private:
  tl::expected<bus::Admitted, bus::Refusal> admit(bus::MessageView& message);
  friend class Answer;

  // Why nothing is read: bits of waiting_.
  enum Wait : std::uint8_t {
    for_answer = 1,
    for_login = 2,
    for_relief = 4,  // of the bus
    for_turn = 8,    // others have theirs first
    for_client = 16  // it has not taken enough of its answers
  };
  // What the head of a request leads to.
  struct Plan {
    const Route* route = nullptr;  // none: refused with `status`
    std::string_view path;
    std::string_view rest;
    int status = 0;
    std::string_view reason;
    http::Header field;  // for a refusal; may be empty
  };
  enum class Identity : std::uint8_t { known, refused, wait };

  const account::Principal* principal() const override { return principal_.get(); }
  session::Peer& peer() override { return peer_; }
  tl::expected<bus::Routed, bus::Refusal> publish(bus::MessageView message) override;
  tl::expected<bus::Routed, bus::Refusal> publish(
      bus::MessageView message, absl::FunctionRef<bus::Receipts::Answered()> stored) override;
  const bus::Port& port() const override { return *port_; }

  bool take_head(std::string_view input, std::size_t& used);
  bool take_body(std::string_view input, std::size_t& used);
  bool plan(const http::Request& head, Plan& out);
  void handle(const Plan& plan, const http::Request& head, std::string_view body);
  void request_begins();
  void request_ends();

  Identity identify(const Route& route, const http::Request& head);
  void start_login(std::string authorization, http::BasicCredentials credentials);
  void become(std::string authorization, base::Ref<const account::Principal> principal);

  void complete(std::unique_ptr<Answer::Slot> slot, const Reply& reply);
  void complete(std::unique_ptr<Answer::Slot> slot, int status, std::string_view reason,
                std::span<const http::Header> fields);
  void take_back(std::unique_ptr<Answer::Slot> slot);
  void refuse(const Plan& plan);
  void fail(const http::Problem& problem);
  std::string_view date();
  http::Exchange exchange();
  std::string& fresh_out();

  void wait(Wait why);
  void go_on(Wait why);
  void yield_turn();
  void look_at_pending();
  template <class Call>
  void post(Call call);
  void set_deadline(base::Duration from_now);

  session::Peer& peer_;
  Site& site_;
  http::RequestParser parser_;
  http::BodyCollector body_;
  std::string head_;  // of a request whose body is still coming; else empty
  std::unique_ptr<Answer::Slot> slot_;
  Answer::Slot* lent_ = nullptr;  // slot_, while an Answer has it
  http::Exchange exchange_;       // of the request that is to be answered; without its date

  // The login that was last accepted on this connection, so that a client that stays does not pay
  // for a password hash with each request. One that was refused is kept until it is answered.
  std::string authorization_;
  base::Ref<const account::Principal> principal_;
  bool identity_known_ = false;
  bus::OwnedPort port_;  // the principal's, from its first message on

  std::uint8_t waiting_ = 0;
  bool in_request_ = false;  // some of it has come
  std::size_t served_ = 0;   // in this call of on_bytes
  base::Time deadline_{};
  base::TimerId timer_ = base::TimerId::none;
  base::Time timer_due_{};
  base::TimerId pending_timer_ = base::TimerId::none;
  base::Lifeline lifeline_;
};

}  // namespace spanwire::web
