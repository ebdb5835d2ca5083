#include "client/descriptor.h"

#include <utility>

#include <unistd.h>

namespace tbs::client {
namespace {

// Under the library's lock.
constinit Descriptor* first = nullptr;

}  // namespace

void Descriptor::reset() {
  const LibraryLock lock;
  if (fd_ < 0) return;
  unlink();
  // Not repeated on EINTR: Linux has released the number by then.
  ::close(fd_);
  fd_ = -1;
}

void Descriptor::take(Descriptor& other) {
  const LibraryLock lock;
  if (other.fd_ < 0) return;
  other.unlink();
  fd_ = std::exchange(other.fd_, -1);
  link();
}

void Descriptor::link() {
  next_ = first;
  previous_ = nullptr;
  if (next_ != nullptr) next_->previous_ = this;
  first = this;
}

void Descriptor::unlink() {
  if (next_ != nullptr) next_->previous_ = previous_;
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    first = next_;
  }
  previous_ = next_ = nullptr;
}

void Descriptor::close_all_in_child() {
  Descriptor* each = std::exchange(first, nullptr);
  while (each != nullptr) {
    ::close(std::exchange(each->fd_, -1));
    each->previous_ = nullptr;
    each = std::exchange(each->next_, nullptr);
  }
}

}  // namespace tbs::client
