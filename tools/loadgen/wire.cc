#include "tools/loadgen/wire.h"

#include "tools/loadgen/mqtt_wire.h"
#include "tools/loadgen/nats_wire.h"
#include "tools/loadgen/socket.h"

namespace spanwire::loadgen {

std::unique_ptr<Wire> make_wire(const Shape& shape) {
  if (shape.protocol == Protocol::mqtt) return std::make_unique<MqttWire>();
  return std::make_unique<NatsWire>(shape.headers);
}

bool passed_fence(std::string_view answer, const Wire& wire) {
  const std::string_view stray = wire.stray();
  if (!stray.empty() && answer.ends_with(stray)) answer.remove_suffix(stray.size());
  return answer.ends_with(wire.fence_answer());
}

base::Status await_fence(int fd, const Wire& wire, std::string& answer) {
  while (!passed_fence(answer, wire)) {
    if (base::Status got = receive_some(fd, answer); !got) return got;
  }
  const auto error = answer.find("-ERR");
  return error == std::string::npos ? base::Status() : base::fail(answer.substr(error, 80));
}

// A fence after each block: all of them at once might be more than the server takes in.
base::Status subscribe_many(int fd, const Wire& wire, std::uint64_t count,
                            const AppendSubscription& append) {
  constexpr std::size_t enough = std::size_t{64} * 1024;
  std::string out;
  for (std::uint64_t i = 0; i < count; ++i) {
    append(out, i);
    if (out.size() < enough && i + 1 < count) continue;
    out.append(wire.fence());
    if (base::Status sent = send_all(fd, out); !sent) return sent;
    out.clear();
    std::string answer;
    if (base::Status done = await_fence(fd, wire, answer); !done) return done;
  }
  return {};
}

}  // namespace spanwire::loadgen
