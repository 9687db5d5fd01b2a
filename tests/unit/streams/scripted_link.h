// A link whose other end is the test: what was published, and answers by hand.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "streams/link.h"

namespace spanwire::test {

class ScriptedLink final : public streams::Link {
 public:
  struct Published {
    std::string subject;
    std::string reply;
    std::string headers;
    std::string payload;
  };
  // Outlives the link, which the client owns.
  struct Wire {
    std::vector<Published> published;
    std::vector<std::string> listening;
    Listener* listener = nullptr;
    bool full = false;

    Published take() {
      Published out = std::move(published.at(0));
      published.erase(published.begin());
      return out;
    }
    void answer(const Published& to, std::string_view payload, std::string_view headers = {}) {
      say(to.reply.substr(std::string_view("inbox.").size()), payload, headers);
    }
    void say(std::string_view token, std::string_view payload, std::string_view headers = {},
             std::string_view subject = "x", std::string_view reply = {}) {
      bus::MessageView view;
      view.route = view.subject = subject;
      view.reply = reply;
      view.headers = headers;
      view.payload = payload;
      listener->on_inbox(token, view);
    }
  };

  explicit ScriptedLink(Wire& wire) : wire_(wire) {}

  void open(Listener& listener) override { wire_.listener = &listener; }
  std::string_view inbox() const override { return "inbox"; }
  void listen(std::string_view token) override { wire_.listening.emplace_back(token); }
  void unlisten(std::string_view token) override { std::erase(wire_.listening, token); }
  bool publish(std::string_view subject, std::string_view reply, std::string_view headers,
               std::string_view payload) override {
    if (wire_.full) return false;
    wire_.published.push_back(
        {std::string(subject), std::string(reply), std::string(headers), std::string(payload)});
    return true;
  }

 private:
  Wire& wire_;
};

}  // namespace spanwire::test
