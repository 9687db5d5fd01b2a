// The loads that run at full speed: publishers send prepared blocks, subscribers count bytes.
//
// One thread serves all connections of a run. The server is measured alone on its core, so the
// generator has one other; a second thread would only take turns with the first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "tools/loadgen/blocks.h"
#include "tools/loadgen/report.h"
#include "tools/loadgen/socket.h"
#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

class StreamRun {
 public:
  explicit StreamRun(Plan plan);

  // Opens the connections, warms up, measures. Fails if a delivery is missing or too many came.
  base::Result<Report> run();

 private:
  // Publishers and subscribers of the same subjects.
  struct Group {
    std::vector<Block> blocks;
    std::vector<std::size_t> subscribers;
    std::uint64_t delivery_bytes = 0;
    std::uint64_t published = 0;  // messages in this phase
  };
  struct Publisher {
    Fd fd;
    std::size_t group = 0;
    std::size_t block = 0;   // the one being sent
    std::size_t offset = 0;  // how much of it has been sent
    bool writable = true;
  };
  struct Subscriber {
    Fd fd;
    std::size_t group = 0;
    std::uint64_t received = 0;  // bytes in this phase
  };
  struct Counts {
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
  };

  base::Status open();
  base::Status open_publisher(std::size_t group);
  base::Status open_subscriber(std::size_t group);
  base::Status open_bystander(std::uint32_t number);
  base::Status open_sleeper();
  // From now on nobody reads what the sleepers get.
  base::Status fall_asleep();
  // How many sleepers the server has closed.
  std::uint32_t count_closed();
  // Publishes for `length` or so many messages, waits for all deliveries and counts them.
  base::Result<Counts> phase(base::Duration length, std::uint64_t messages);
  bool pump(Publisher& publisher);
  base::Status take_events(int timeout_ms);
  base::Status publisher_ready(Publisher& publisher, std::uint32_t events);
  base::Status subscriber_ready(Subscriber& subscriber);
  // Drops what has arrived for a subscriber and returns how many bytes it was.
  base::Result<std::uint64_t> discard(int fd);
  bool window_open(const Group& group, const Block& block) const;
  // The bytes that the group's subscribers have all received (of a queue group: together).
  std::uint64_t received_by(const Group& group) const;
  bool drained() const;
  base::Status await_publishers();
  base::Result<Counts> verify();
  // The messages that one subscriber got, after a fence; an error if its bytes do not add up.
  base::Result<std::uint64_t> messages_of(Subscriber& subscriber);

  Plan plan_;
  std::unique_ptr<Wire> wire_;
  std::vector<Group> groups_;
  std::vector<Publisher> publishers_;
  std::vector<Subscriber> subscribers_;
  std::vector<Fd> bystanders_;
  std::vector<Fd> sleepers_;
  std::optional<Poller> poller_;  // once open
  std::uint64_t window_ = 0;      // bytes under way to each subscriber, or queue group, at most
  std::uint64_t published_ = 0;   // messages of this phase, all groups
  std::uint64_t moves_ = 0;       // sends and receives that moved anything
  bool sending_ = false;          // false: only blocks that were begun are finished
  base::Status broken_;           // what pump() met
};

}  // namespace spanwire::loadgen
