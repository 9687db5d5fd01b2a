// A durable target of tests.
#pragma once

#include <doctest/doctest.h>

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "bus/port.h"
#include "bus/receiver.h"
#include "subject/filter.h"

namespace spanwire::test {

// Claims the receipts of what it gets, as a stream does, and answers when the test says so.
struct Keeper : bus::Receiver {
  // `open` makes a port for the receiver that it is given.
  template <class Open>
  explicit Keeper(const Open& open) : port(open(static_cast<bus::Receiver&>(*this))) {}

  void keep(std::string_view filter) {
    REQUIRE(port->subscribe(*subject::parse_nats_filter(filter), {.durable = true}));
  }

  void answer(const bus::Storing& storing = {.targets = 1}) {
    for (const bus::ReceiptId receipt : std::exchange(receipts, {})) {
      port->answer(receipt, storing);
    }
  }
  void answer_last() {
    port->answer(receipts.back(), {.targets = 1});
    receipts.pop_back();
  }

  bus::Taken on_message(std::span<const bus::Target>, const bus::MessageView& message) override {
    ++messages;
    if (message.receipt != bus::ReceiptId::none) {
      port->claim(message.receipt);
      receipts.push_back(message.receipt);
    }
    return bus::Taken::all;
  }
  void on_relief() override {}

  int messages = 0;
  std::vector<bus::ReceiptId> receipts;  // not answered
  bus::OwnedPort port;

 protected:
  ~Keeper() = default;
};

}  // namespace spanwire::test
