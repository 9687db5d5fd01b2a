#include "tests/contract/streams/api_stage.h"

#include "streams/api_client.h"
#include "streams/bus_link.h"

namespace spanwire::test {

std::unique_ptr<streams::Client> ApiStage::make_client() {
  const std::size_t loop = loops_ - 1 - clients_++ % loops_;
  wire::Services& services = world_.services(loop);
  auto link =
      std::make_unique<streams::BusLink>(services.loop(), [&services](bus::Receiver& receiver) {
        return services.open(services.anonymous(), receiver, nullptr);
      });
  return std::make_unique<streams::ApiClient>(services.loop(), std::move(link));
}

// What needs time has it, up to the longest that anything here takes.
void ApiStage::run_until(const std::function<bool()>& done) {
  world_.settle();
  for (int i = 0; i < 20 && !done(); ++i) world_.advance(std::chrono::milliseconds(500));
}

}  // namespace spanwire::test
