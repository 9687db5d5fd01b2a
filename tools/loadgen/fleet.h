// A fleet: each device publishes on a subject of its own, `devices.<id>.state`, and an application
// holds a wildcard for each of them. Meanwhile further subscriptions come and go. NATS only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/loadgen/blocks.h"
#include "tools/loadgen/shapes.h"
#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

// All ids are equally wide, so that all deliveries are equally long. device < 10,000,000
std::string device_subject(std::uint32_t device);
std::string device_filter(std::uint32_t device);

// The bytes of a delivery by one of the subscriptions of subscribe_fleet().
std::size_t device_delivery_bytes(const Wire& wire, std::size_t payload);

// Subscribes to devices [0, devices), a wildcard each, and returns when the server has done it.
base::Status subscribe_fleet(int fd, const Wire& wire, std::uint32_t devices);

// Messages to shape.subjects of the devices, in an order of chance. Each tenth stands between the
// SUB and the UNSUB of shape.passing, which is another one each time.
std::vector<Block> build_fleet_blocks(const Shape& shape, const Wire& wire);

}  // namespace spanwire::loadgen
