#include "net/socket.h"

#include <sys/socket.h>

namespace spanwire::net {

ssize_t Socket::read(std::span<char> into) {
  counts_.reads.add();
  return ::recv(descriptor_.get(), into.data(), into.size(), MSG_DONTWAIT);
}

ssize_t Socket::write(std::span<iovec> from) {
  counts_.writes.add();
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (from.size() == 1) {
    return ::send(descriptor_.get(), from[0].iov_base, from[0].iov_len, flags);
  }
  msghdr message{};
  message.msg_iov = from.data();
  message.msg_iovlen = from.size();
  return ::sendmsg(descriptor_.get(), &message, flags);
}

void Socket::end_writing() {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

}  // namespace spanwire::net
