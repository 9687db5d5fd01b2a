// What the generator needs to know about a publish-and-subscribe protocol. Messages are built
// before the clock starts and counted by their size, so nothing here runs once per message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tools/loadgen/shapes.h"

namespace spanwire::loadgen {

// Where one subscriber listens.
struct Interest {
  std::string filter;  // in the protocol's spelling; empty: it does not subscribe
  std::string queue;   // empty: a plain subscription
};

class Wire {
 public:
  virtual ~Wire() = default;

  // Logs in on a fresh connection, subscribes, and returns when the server has confirmed all of it.
  virtual base::Status join(int fd, const Interest& interest) const = 0;
  // The subject of a group that has only one: "load.007" or "load/007".
  virtual std::string subject(std::uint32_t group) const = 0;
  // One of a group's many subjects, "load.007.0000042", and the filter for all of them.
  virtual std::string subject(std::uint32_t group, std::uint32_t number) const = 0;
  virtual std::string all_subjects(std::uint32_t group) const = 0;
  virtual void append_publish(std::string& out, std::string_view subject,
                              std::string_view payload) const = 0;
  // The bytes that a subscriber gets for a message, and where in them the payload begins.
  virtual std::size_t delivery_bytes(std::string_view subject, std::size_t payload) const = 0;
  virtual std::size_t payload_offset(std::string_view subject, std::size_t payload) const = 0;
  // What a client sends to learn that the server has done all before it, and the answer.
  virtual std::string_view fence() const = 0;
  virtual std::string_view fence_answer() const = 0;
  // What the server may send between deliveries without being asked; empty if nothing.
  virtual std::string_view stray() const = 0;
};

std::unique_ptr<Wire> make_wire(const Shape& shape);

// Whether `answer` ends as the answer to a fence; something unasked may stand behind it.
bool passed_fence(std::string_view answer, const Wire& wire);
// Appends what the server sends to `answer` until the fence is passed.
base::Status await_fence(int fd, const Wire& wire, std::string& answer);

// Sends so many subscriptions, each as `append` writes it, and returns when the server has done
// them.
using AppendSubscription = std::function<void(std::string& out, std::uint64_t number)>;
base::Status subscribe_many(int fd, const Wire& wire, std::uint64_t count,
                            const AppendSubscription& append);

}  // namespace spanwire::loadgen
