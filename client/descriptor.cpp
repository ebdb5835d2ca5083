#include "client/descriptor.h"

#include <utility>

#include <unistd.h>

namespace tbs::client {
namespace {

// Under the library's lock.
constinit Descriptor* first_open = nullptr;
// Of this process's parent, and its parents.
constinit Descriptor* first_inherited = nullptr;

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
  label_ = std::exchange(other.label_, 0);
  link();
}

void Descriptor::link() {
  next_ = first_open;
  previous_ = nullptr;
  if (next_ != nullptr) next_->previous_ = this;
  first_open = this;
}

void Descriptor::unlink() {
  if (next_ != nullptr) next_->previous_ = previous_;
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    first_open = next_;
  }
  previous_ = next_ = nullptr;
}

void Descriptor::keep_in_children(std::uint64_t label) {
  const LibraryLock lock;
  label_ = label;
}

// Fork holds the lock.
void Descriptor::close_all_in_child() {
  Descriptor* each = std::exchange(first_open, nullptr);
  while (each != nullptr) {
    Descriptor* const next = std::exchange(each->next_, nullptr);
    each->previous_ = nullptr;
    if (each->label_ == 0) {
      ::close(std::exchange(each->fd_, -1));
    } else {
      // Its owner is the parent's and is never used here, so that it can stand for it in this list.
      each->next_ = std::exchange(first_inherited, each);
    }
    each = next;
  }
}

void Descriptor::close_inherited(std::uint64_t label) {
  const LibraryLock lock;
  Descriptor** at = &first_inherited;
  while (*at != nullptr) {
    Descriptor* const each = *at;
    if (each->label_ != label) {
      at = &each->next_;
      continue;
    }
    *at = std::exchange(each->next_, nullptr);
    ::close(std::exchange(each->fd_, -1));
  }
}

}  // namespace tbs::client
