#pragma once

// Somebody who keeps descriptors, so that a successor of this process gets them when it dies: the
// service manager.

#include <functional>
#include <string>

namespace tbs::device {

class DescriptorKeeper {
 public:
  using Gone = std::move_only_function<void()>;

  virtual ~DescriptorKeeper() = default;

  // The descriptor must stay open until drop(): it may be handed over later.
  virtual void keep(std::string name, int descriptor) = 0;
  // Like keep(), for who must not go on before the descriptor has been handed over. False when it
  // could not be yet: then `go_on` is called once, never within this call nor after drop(). When it
  // takes too long, that is said all the same.
  [[nodiscard]] virtual bool keep_first(std::string name, int descriptor, Gone go_on) = 0;
  // Nobody keeps it any more when `gone` is called, which is never within this call. Without an
  // answer that is said after a while all the same. `gone` may be null.
  virtual void drop(std::string name, Gone gone) = 0;
};

}  // namespace tbs::device
