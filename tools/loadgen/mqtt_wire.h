// MQTT 3.1.1 at QoS 0, as far as the generator speaks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/loadgen/wire.h"

namespace spanwire::loadgen {

class MqttWire final : public Wire {
 public:
  base::Status join(int fd, const Interest& interest) const override;
  std::string subject(std::uint32_t group) const override;
  std::string subject(std::uint32_t group, std::uint32_t number) const override;
  std::string all_subjects(std::uint32_t group) const override;
  void append_publish(std::string& out, std::string_view subject,
                      std::string_view payload) const override;
  std::size_t delivery_bytes(std::string_view subject, std::size_t payload) const override;
  std::size_t payload_offset(std::string_view subject, std::size_t payload) const override;
  std::string_view fence() const override { return {"\xc0\x00", 2}; }         // PINGREQ
  std::string_view fence_answer() const override { return {"\xd0\x00", 2}; }  // PINGRESP
  std::string_view stray() const override { return {}; }
};

}  // namespace spanwire::loadgen
