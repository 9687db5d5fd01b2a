#include "tools/loadgen/wire.h"

#include "tools/loadgen/mqtt_wire.h"
#include "tools/loadgen/nats_wire.h"

namespace spanwire::loadgen {

std::unique_ptr<Wire> make_wire(const Shape& shape) {
  if (shape.protocol == Protocol::mqtt) return std::make_unique<MqttWire>();
  return std::make_unique<NatsWire>(shape.headers);
}

}  // namespace spanwire::loadgen
