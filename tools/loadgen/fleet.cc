#include "tools/loadgen/fleet.h"

#include <fmt/format.h>

#include <iterator>

#include "base/random.h"

namespace spanwire::loadgen {
namespace {

constexpr std::uint32_t messages_per_passing = 10;
// One round through the blocks; long enough that a server has forgotten an inbox when it returns.
constexpr std::uint32_t passings_of_a_round = 20'000;
// Subscription ids of seven digits, whatever the device.
constexpr std::uint32_t first_sid = 1'000'000;
// Devices that come and go are none of those that stay.
constexpr std::uint32_t first_passing_device = 5'000'000;

// The official clients' inboxes are 22 random characters; these are as long.
std::string passing_filter(Passing passing, std::uint32_t number) {
  if (passing == Passing::device) return device_filter(first_passing_device + number);
  return fmt::format("_INBOX.Q7bZkW0yVtPmL3x{:07}", number);
}

}  // namespace

std::string device_subject(std::uint32_t device) {
  return fmt::format("devices.{:07}.state", device);
}

std::string device_filter(std::uint32_t device) {
  return fmt::format("devices.{:07}.*", device);
}

std::size_t device_delivery_bytes(const Wire& wire, std::size_t payload) {
  // The wire reckons with a subscription id of one digit.
  return wire.delivery_bytes(device_subject(0), payload) + fmt::formatted_size("{}", first_sid) - 1;
}

base::Status subscribe_fleet(int fd, const Wire& wire, std::uint32_t devices) {
  return subscribe_many(fd, wire, devices, [](std::string& out, std::uint64_t number) {
    const auto device = static_cast<std::uint32_t>(number);
    fmt::format_to(std::back_inserter(out), "SUB {} {}\r\n", device_filter(device),
                   first_sid + device);
  });
}

std::vector<Block> build_fleet_blocks(const Shape& shape, const Wire& wire) {
  const std::string payload(shape.size, 'x');
  base::Random random(shape.subjects);  // the same order in every run
  std::vector<Block> blocks(1);
  const auto publish = [&](std::string& out) {
    wire.append_publish(out, device_subject(random.below(shape.subjects)), payload);
  };
  for (std::uint32_t passing = 0; passing < passings_of_a_round; ++passing) {
    if (blocks.back().bytes.size() >= block_bytes) blocks.emplace_back();
    Block& block = blocks.back();
    block.messages += messages_per_passing;
    for (std::uint32_t i = 1; i < messages_per_passing; ++i) publish(block.bytes);
    const bool comes = shape.passing != Passing::none;
    if (comes) {
      fmt::format_to(std::back_inserter(block.bytes), "SUB {} {}\r\n",
                     passing_filter(shape.passing, passing), passing + 1);
    }
    publish(block.bytes);
    if (comes) fmt::format_to(std::back_inserter(block.bytes), "UNSUB {}\r\n", passing + 1);
  }
  return blocks;
}

}  // namespace spanwire::loadgen
