#include "tools/loadgen/seat.h"

#include <sys/socket.h>

#include <cerrno>

namespace spanwire::loadgen {

base::Result<std::string_view> Seat::read(std::string& buffer) {
  const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return join({});
    return base::fail(last_error("receive"));
  }
  if (got == 0) return base::fail("the server closed a connection");
  return join({buffer.data(), static_cast<std::size_t>(got)});
}

std::string_view Seat::join(std::string_view arrived) {
  return waiting_.empty() ? arrived : std::string_view(waiting_.append(arrived));
}

}  // namespace spanwire::loadgen
