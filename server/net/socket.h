// A connected socket: the one place through which every read and write of a connection passes, and
// where they are counted.
#pragma once

#include <sys/uio.h>

#include <span>

#include "base/counter.h"
#include "net/descriptor.h"

namespace spanwire::net {

// System calls, those too that moved nothing. Any thread may read them.
struct TransferCounts {
  base::Counter reads;
  base::Counter writes;
};

class Socket {
 public:
  Socket(Descriptor descriptor, TransferCounts& counts)
      : descriptor_(std::move(descriptor)), counts_(counts) {}

  // As recv and sendmsg: a number of bytes, or -1 and errno. Neither waits.
  ssize_t read(std::span<char> into);
  ssize_t write(std::span<iovec> from);
  // Nothing more will be written; the peer can still be read.
  void end_writing();

 private:
  Descriptor descriptor_;
  TransferCounts& counts_;
};

}  // namespace spanwire::net
