// Loops as the server has them, without threads: the test takes their turns. Their peers are the
// other ends of socket pairs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/loop_thread.h"

namespace spanwire::test {

// The near end of a connection: what a client would hold.
class NearEnd {
 public:
  explicit NearEnd(net::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // As much as the connection takes now; returns how much that is.
  std::size_t write(std::string_view bytes);
  // All that has come by now.
  std::string take();

 private:
  net::Descriptor descriptor_;
};

// Publishes each read to `subject` as one message if that is not empty, and sends what it is
// subscribed to.
struct Role {
  std::string subject;
  std::string filter;
  bool in_body_space = false;                     // reads in pieces of 1 KiB
  std::function<void(std::size_t)> on_read = {};  // is told of each read, with its size
};

class SteppedLoops {
 public:
  explicit SteppedLoops(std::size_t loops, const net::LoopSettings& settings = {});
  ~SteppedLoops();

  // `send_buffer_bytes`: how much the kernel keeps for the client, about; 0: its default.
  NearEnd& connect(std::size_t loop, Role role, int send_buffer_bytes = 0);
  void step(std::size_t loop) { loops_[loop]->step(); }
  // Takes `bytes` from an end of this loop. A turn in which a busy machine let others run leaves
  // writing to the next one: then that is taken too, and so on.
  std::string take(std::size_t loop, NearEnd& end, std::size_t bytes);
  std::uint64_t reads(std::size_t loop) const {
    return loops_[loop]->counts().transfers.reads.get();
  }
  std::uint64_t writes(std::size_t loop) const {
    return loops_[loop]->counts().transfers.writes.get();
  }

 private:
  bus::Hub hub_;
  session::Ledger ledger_{std::size_t{1} << 40};
  std::vector<std::unique_ptr<net::LoopThread>> loops_;
  std::vector<Role> roles_;
  std::vector<std::unique_ptr<NearEnd>> near_;
};

}  // namespace spanwire::test
