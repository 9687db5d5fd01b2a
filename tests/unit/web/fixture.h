// A listener on manual loops, with handlers that a test watches.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tests/support/world.h"
#include "web/session.h"
#include "web/site.h"

namespace spanwire::test {

// Who may enter: everybody, or the users with their passwords. Verdicts come in a later turn.
class TestAccess final : public web::Access {
 public:
  explicit TestAccess(bus::Router& router) : router_(router) {}

  std::map<std::string, std::string> users;
  bool open_to_all = true;
  int logins_checked = 0;

  base::Ref<const account::Principal> anonymous() override {
    return open_to_all ? principal("") : nullptr;
  }
  void authenticate(http::BasicCredentials credentials,
                    base::Done<base::Result<base::Ref<const account::Principal>>> done) override {
    ++logins_checked;
    const auto user = users.find(credentials.user);
    const bool good = user != users.end() && user->second == credentials.password;
    router_.post(router_.loop().id(),
                 [done = std::move(done), good, who = principal(credentials.user)]() mutable {
                   if (good) return done(std::move(who));
                   done(base::fail("wrong password"));
                 });
  }
  bus::OwnedPort open(base::Ref<const account::Principal> principal, bus::Receiver& receiver,
                      base::Ref<bus::Gate> gate) override {
    return router_.open(std::move(principal), receiver, std::move(gate));
  }

 private:
  base::Ref<const account::Principal> principal(std::string user) {
    auto made = base::make_ref<account::Principal>();
    made->account = account_;
    made->user = std::move(user);
    return made;
  }
  bus::Router& router_;
  base::Ref<const account::Account> account_ =
      base::make_ref<account::Account>(account::global_account, account::global_account_name);
};

// Routes: GET /now and POST /now are answered in place, with what came; GET /later when the test
// calls answer(); GET /never is given up by its handler; GET /open asks for no login; GET /large
// has a body of 100,000 bytes; POST /publish routes the body to the subject of the query.
class Listener {
 public:
  explicit Listener(web::Settings settings = {}, WorldSettings world_settings = {})
      : world(world_settings),
        access(world.router(0)),
        site(make_routes(), access, std::move(settings)) {}
  ~Listener() { later.clear(); }

  TestPeer& connect() {
    TestPeer& peer = world.connect(0);
    peer.attach(std::make_unique<web::Session>(peer, site));
    return peer;
  }
  // What a client gets for these bytes, on a connection of its own.
  std::string answer_to(std::string_view bytes) {
    TestPeer& peer = connect();
    peer.write(bytes);
    world.settle();
    return peer.take();
  }

  World world;
  TestAccess access;
  std::vector<std::string> seen;   // a line for each request that reached a handler
  std::vector<web::Answer> later;  // of /later
  bool publish_admitted = false;
  web::Site site;

 private:
  using Method = http::Method;

  void note(const web::Request& request) {
    std::string line(method_name(request.method));
    line.append(" ").append(request.path).append(" ").append(request.body);
    if (request.client.principal() != nullptr && !request.client.principal()->user.empty()) {
      line.append(" as ").append(request.client.principal()->user);
    }
    seen.push_back(line);
  }
  void publish(const web::Request& request) {
    bus::MessageView message;
    message.route = *request.query.find("to");
    message.subject = message.route;
    message.payload = request.body;
    publish_admitted = request.client.publish(message).has_value();
  }

  web::Routes make_routes();
  std::string large_ = std::string(100'000, 'l');
};

inline web::Routes Listener::make_routes() {
  web::Routes routes;
  const auto add = [&routes](web::Route route) {
    route.owner = "test";
    BASE_ASSERT(routes.add(std::move(route)));
  };
  const auto now = [this](const web::Request& request, web::Answer answer) {
    note(request);
    answer.send({.type = "text/plain", .body = request.body});
  };
  add({.path = "/now", .handler = now});
  add({.path = "/now", .methods = {Method::post}, .body_bytes = 10, .handler = now});
  add({.path = "/open", .login = web::Login::none, .handler = now});
  add({.path = "/later", .handler = [this](const web::Request& request, web::Answer answer) {
         note(request);
         later.push_back(std::move(answer));
       }});
  add({.path = "/never", .handler = [](const web::Request&, web::Answer) {}});
  add({.path = "/large", .handler = [this](const web::Request&, web::Answer answer) {
         answer.send({.body = large_});
       }});
  add({.path = "/publish",
       .methods = {Method::post},
       .body_bytes = 1 << 20,
       .handler = [this](const web::Request& request, web::Answer answer) {
         publish(request);
         answer.send({});
       }});
  return routes;
}

// The answers that came, a line each: `200 hello`, `404` where the body is a page for people.
std::vector<std::string> answers(std::string_view bytes);

}  // namespace spanwire::test
