#pragma once

// Calls from the event loop on behalf of one object, dropped when that object is gone: what keeps
// the two promises of a device::Transceiver that no handler is called from within the call that was
// given it, and none after its destruction.

#include <expected>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace tbs::loop {

class Deferred {
 public:
  // `loop` must outlive this object.
  explicit Deferred(boost::asio::io_context& loop) : loop_(loop) {}

  // Runs `call` from the loop unless this object was destroyed or dropped its calls before.
  template <class Call>
  void post(Call call) {
    boost::asio::post(loop_, [alive = watch(), call = std::move(call)]() mutable {
      if (!alive.expired()) call();
    });
  }

  // Calls `handler` with `failure` in place of a result. An empty handler is left alone.
  template <class Handler, class Failure>
  void post_failure(Handler handler, Failure failure) {
    if (!handler) return;
    post([handler = std::move(handler), failure = std::move(failure)]() mutable {
      handler(std::unexpected(std::move(failure)));
    });
  }

  // Expires with this object.
  [[nodiscard]] std::weak_ptr<const void> watch() const { return token_; }
  void drop() { token_ = std::make_shared<char>(); }

 private:
  boost::asio::io_context& loop_;
  std::shared_ptr<const void> token_ = std::make_shared<char>();
};

}  // namespace tbs::loop
