// SPDX-License-Identifier: BSD-2-Clause
//
// tbs/asio.hpp: TPM commands as asynchronous operations of Boost.Asio 1.81 or later, with any
// completion token. It is a layer on tbs.hpp, all of it in this header.
//
//   auto tpm = tbs::async_context<>::open(executor);
//   auto response = co_await tpm->async_submit(command, {.timeout = 2s}, use_awaitable);
//
// Conventions, beside those of tbs.hpp
// ------------------------------------
// - Nothing waits but open(), and async_submit() when it has to connect to a restarted service.
// - Operations end with void(boost::system::error_code, std::vector<std::uint8_t>): the response,
//   which may be an error of the TPM's. The handler is never called from within async_submit(), but
//   posted to its associated executor.
// - An object and its operations are for one thread at a time, as Asio's own objects are: give it a
//   strand where several threads run the loop, and emit cancellation signals on that strand.
// - Asio's cancellation is the TPM's: an operation whose slot is signalled is taken out when it
//   waits, and cancelled on the TPM when it runs there, without touching the others. `total` ends
//   only what has not been sent yet, `partial` and `terminal` also what runs: that may have had an
//   effect. It ends with boost::asio::error::operation_aborted, or with a response that came first.
// - Codes of the TBS are errors of tbs::category().
#ifndef TBS_ASIO_HPP
#define TBS_ASIO_HPP

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <tbs.hpp>
#include <type_traits>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace tbs {
inline namespace TBS_HPP_NAMESPACE {

// The category of the TBS codes. A cancelled command compares equal to errc::operation_canceled,
// one that was given up to errc::timed_out, a refusal to errc::permission_denied.
inline const boost::system::error_category& category() noexcept {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // of Boost's class
  class tbs_category final : public boost::system::error_category {
   public:
    [[nodiscard]] const char* name() const noexcept override { return "tbs"; }
    [[nodiscard]] std::string message(int code) const override {
      return Tbsx_Result_Text(static_cast<TBS_RESULT>(code));
    }
    [[nodiscard]] boost::system::error_condition default_error_condition(
        int code) const noexcept override {
      switch (static_cast<TBS_RESULT>(code)) {
        case TBS_E_COMMAND_CANCELED:
          return make_error_condition(boost::system::errc::operation_canceled);
        case TBSX_E_TIMED_OUT:
          return make_error_condition(boost::system::errc::timed_out);
        case TBS_E_ACCESS_DENIED:
          return make_error_condition(boost::system::errc::permission_denied);
        default:
          return {code, *this};
      }
    }
  };
#pragma GCC diagnostic pop
  static const tbs_category only;
  return only;
}

inline boost::system::error_code make_error_code(error why) noexcept {
  return {static_cast<int>(why.code()), category()};
}

// What async_submit() ends with.
using submit_signature = void(boost::system::error_code, std::vector<std::uint8_t>);

namespace detail {

// One command on its way. It ends once: with complete(), or unsaid when its loop is destroyed.
class async_operation {
 public:
  async_operation(bytes command, const options& how)
      : command_(command.begin(), command.end()), how_(how) {}
  async_operation(const async_operation&) = delete;
  async_operation& operator=(const async_operation&) = delete;
  virtual ~async_operation() = default;

  virtual void complete(boost::system::error_code failed, std::vector<std::uint8_t> response) = 0;

  std::uint64_t id = 0;
  // Why it was given up, if it was.
  boost::system::error_code given_up;

  [[nodiscard]] bytes command() const { return command_; }
  [[nodiscard]] const options& how() const { return how_; }

 private:
  std::vector<std::uint8_t> command_;
  options how_;
};

template <typename Handler, typename Executor>
class async_operation_for final : public async_operation {
 public:
  async_operation_for(Handler handler, const Executor& executor, bytes command, const options& how)
      : async_operation(command, how), handler_(std::move(handler)), loop_(executor) {}

  void complete(boost::system::error_code failed, std::vector<std::uint8_t> response) override {
    const auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) {
      auto used = slot;
      used.clear();
    }
    const auto executor = boost::asio::get_associated_executor(handler_, loop_.get_executor());
    boost::asio::post(executor, [handler = std::move(handler_), failed,
                                 response = std::move(response)]() mutable {
      std::move(handler)(failed, std::move(response));
    });
  }

 private:
  Handler handler_;
  boost::asio::executor_work_guard<Executor> loop_;
};

// The commands of one context: one is at the service, the others wait here. So a cancel of the one
// that runs, which an older service knows for all of a context alone, meets nothing else.
template <typename Executor>
class async_queue : public std::enable_shared_from_this<async_queue<Executor>> {
 public:
  async_queue(context tpm, int ready, int cancel, const Executor& executor)
      : tpm_(std::move(tpm)), ready_(executor, ready), cancel_(cancel) {}

  Executor get_executor() { return ready_.get_executor(); }
  [[nodiscard]] const context& tpm() const { return tpm_; }
  [[nodiscard]] std::size_t load() const { return waiting_.size() + (running_ ? 1 : 0); }

  // A number for an operation, to cancel it by.
  std::uint64_t next_id() { return ++last_id_; }

  void enter(std::unique_ptr<async_operation> operation) {
    if (operation->how().timeout) start_timer(*operation);
    waiting_.push_back(std::move(operation));
    send_next();
  }

  void cancel(std::uint64_t id, boost::asio::cancellation_type_t type,
              boost::system::error_code why) {
    using boost::asio::cancellation_type;
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [id](const auto& each) { return each->id == id; });
    if (found != waiting_.end()) {
      const auto operation = std::move(*found);
      waiting_.erase(found);
      stop_timer(id);
      operation->complete(why, {});
      return;
    }
    if (!running_ || running_->id != id || running_->given_up) return;
    if ((type & (cancellation_type::partial | cancellation_type::terminal)) ==
        cancellation_type::none) {
      return;
    }
    running_->given_up = why;
    const UINT64 one = 1;
    (void)!::write(cancel_, &one, sizeof one);
  }

  // Ends every operation, and the context.
  void close() {
    closed_ = true;
    boost::system::error_code ignored;
    ready_.close(ignored);
    tpm_.close();
    auto given_up = std::move(waiting_);
    waiting_.clear();
    if (running_) given_up.push_front(std::move(running_));
    for (const auto& [id, timer] : timers_) timer->cancel();
    for (const auto& each : given_up) each->complete(boost::asio::error::operation_aborted, {});
  }

 private:
  using timer_type = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  void start_timer(const async_operation& operation) {
    const auto timer = std::make_shared<timer_type>(get_executor(), *operation.how().timeout);
    timers_.emplace_back(operation.id, timer);
    timer->async_wait([weak = this->weak_from_this(), timer,
                       id = operation.id](boost::system::error_code failed) {
      const auto self = weak.lock();
      if (!self) return;
      std::erase_if(self->timers_, [id](const auto& each) { return each.first == id; });
      if (failed) return;
      self->cancel(id, boost::asio::cancellation_type::terminal,
                   make_error_code(error(TBSX_E_TIMED_OUT)));
    });
  }

  void stop_timer(std::uint64_t id) {
    for (const auto& [of, timer] : timers_) {
      if (of == id) timer->cancel();
    }
  }

  void send_next() {
    while (!closed_ && !running_ && !waiting_.empty()) {
      auto operation = std::move(waiting_.front());
      waiting_.pop_front();
      const auto begun = tpm_.begin(operation->command(), operation->how());
      if (begun) {
        request_ = *begun;
        running_ = std::move(operation);
        watch();
      } else {
        stop_timer(operation->id);
        operation->complete(make_error_code(begun.error()), {});
      }
    }
  }

  void watch() {
    ready_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [self = this->shared_from_this()](boost::system::error_code failed) {
                        if (!failed && !self->closed_) self->look();
                      });
  }

  void look() {
    if (!running_) return;
    std::vector<std::uint8_t> response(size_);
    auto taken = tpm_.take(request_, response, std::chrono::milliseconds(0));
    if (!taken && taken.error() == TBSX_E_PENDING) return watch();
    if (!taken && taken.error() == TBS_E_INSUFFICIENT_BUFFER) {
      size_ = TBS_IN_OUT_BUF_SIZE_MAX;
      return look();
    }
    response.resize(taken ? taken->size() : 0);
    finish(taken ? boost::system::error_code() : make_error_code(taken.error()),
           std::move(response));
  }

  void finish(boost::system::error_code failed, std::vector<std::uint8_t> response) {
    const auto operation = std::move(running_);
    stop_timer(operation->id);
    if (operation->given_up) {
      // What nobody has taken must not meet the next command.
      UINT64 count = 0;
      (void)!::read(cancel_, &count, sizeof count);
      if (failed == make_error_code(error(TBS_E_COMMAND_CANCELED))) failed = operation->given_up;
    }
    operation->complete(failed, std::move(response));
    send_next();
  }

  context tpm_;
  boost::asio::posix::basic_stream_descriptor<Executor> ready_;
  int cancel_;
  std::deque<std::unique_ptr<async_operation>> waiting_;
  std::unique_ptr<async_operation> running_;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<timer_type>>> timers_;
  TBSX_REQUEST request_ = 0;
  std::uint64_t last_id_ = 0;
  std::size_t size_ = 4096;
  bool closed_ = false;
};

// Starts an operation: what async_initiate() calls with the handler.
template <typename Executor>
class initiate_submit {
 public:
  using executor_type = Executor;

  explicit initiate_submit(std::shared_ptr<async_queue<Executor>> queue)
      : queue_(std::move(queue)) {}

  [[nodiscard]] executor_type get_executor() const noexcept { return queue_->get_executor(); }

  template <typename Handler>
  void operator()(Handler&& handler, bytes command, const options& how) const {
    using operation = async_operation_for<std::decay_t<Handler>, Executor>;
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto made =
        std::make_unique<operation>(std::forward<Handler>(handler), get_executor(), command, how);
    made->id = queue_->next_id();
    // Before it is entered: an operation that ends at once clears its slot.
    if (slot.is_connected()) {
      slot.assign(
          [weak = std::weak_ptr(queue_), id = made->id](boost::asio::cancellation_type_t type) {
            if (const auto queue = weak.lock()) {
              queue->cancel(id, type, boost::asio::error::operation_aborted);
            }
          });
    }
    queue_->enter(std::move(made));
  }

 private:
  std::shared_ptr<async_queue<Executor>> queue_;
};

}  // namespace detail

// A TBS context for an event loop. Its operations run one after the other, in the order in which
// they were started; a program that wants several commands of its own to wait side by side, with
// priorities, has several contexts. Movable, not copyable; one that was moved from can only be
// assigned to or destroyed. When it goes, its operations end with operation_aborted.
template <typename Executor = boost::asio::any_io_executor>
class async_context {
 public:
  using executor_type = Executor;

  // Opens a context; it waits as tbs::context::open() does.
  //
  // executor: where its operations run; a strand where several threads run the loop.
  //
  // Errors: those of tbs::context::open(). Source: Tbsx_Get_Poll_Descriptor,
  // Tbsx_Get_Cancel_Descriptor.
  [[nodiscard]] static result<async_context> open(const Executor& executor,
                                                  const open_options& wanted = {}) {
    auto tpm = context::open(wanted);
    if (!tpm) return failure(tpm.error());
    return from(executor, *std::move(tpm));
  }

  // Takes over a context that is open, with what it has on the TPM.
  [[nodiscard]] static result<async_context> from(const Executor& executor, context tpm) {
    const auto ready = tpm.poll_descriptor();
    if (!ready) return failure(ready.error());
    const auto cancel = tpm.cancel_descriptor();
    if (!cancel) return failure(cancel.error());
    // Asio closes what it watches.
    const int watched = ::fcntl(*ready, F_DUPFD_CLOEXEC, 0);
    if (watched < 0) return failure(error(TBS_E_INTERNAL_ERROR));
    return async_context(std::make_shared<detail::async_queue<Executor>>(std::move(tpm), watched,
                                                                         *cancel, executor));
  }

  async_context(async_context&&) noexcept = default;
  async_context& operator=(async_context&& other) noexcept {
    if (this != &other) {
      close();
      queue_ = std::move(other.queue_);
    }
    return *this;
  }
  ~async_context() { close(); }

  [[nodiscard]] executor_type get_executor() const noexcept { return queue_->get_executor(); }

  // The context underneath: for info(), or to submit without the loop.
  [[nodiscard]] const context& tpm() const noexcept { return queue_->tpm(); }

  // How many operations have not ended.
  [[nodiscard]] std::size_t load() const noexcept { return queue_->load(); }

  // Submits one TPM command.
  //
  // command: the whole command; it is copied when the operation starts.
  // how: priority, locality; the time-out runs from the start of the operation, the wait for
  //   those before it included.
  // token: any completion token for submit_signature.
  //
  // Ends with: success                no error, and the response
  //            operation_aborted      its cancellation slot was signalled, or this object destroyed
  //            TBSX_E_TIMED_OUT       the time is over; what that means for the command, see
  //                                   tbs::context::submit()
  //            others of category()   those of tbs::context::submit()
  // Source: Tbsx_Submit_Begin, Tbsx_Submit_Result.
  template <typename Token>
  auto async_submit(bytes command, const options& how, Token&& token) {
    return boost::asio::async_initiate<Token, submit_signature>(
        detail::initiate_submit<Executor>(queue_), token, command, how);
  }
  // The same with the default options.
  template <typename Token>
    requires(!std::is_convertible_v<Token, const options&>)
  auto async_submit(bytes command, Token&& token) {
    return async_submit(command, options{}, std::forward<Token>(token));
  }

  // Ends all operations with operation_aborted, and the context. To be called once.
  void close() noexcept {
    if (queue_ != nullptr) std::exchange(queue_, nullptr)->close();
  }

 private:
  explicit async_context(std::shared_ptr<detail::async_queue<Executor>> queue)
      : queue_(std::move(queue)) {}

  std::shared_ptr<detail::async_queue<Executor>> queue_;
};

// Several contexts, so that commands wait at the service side by side, where priorities order them.
// For commands that stand alone: an object or a session is known to the context that made it, and
// nobody can say which one takes a command. The same rules as for async_context hold.
template <typename Executor = boost::asio::any_io_executor>
class async_pool {
 public:
  using executor_type = Executor;

  // Opens `count` contexts, at least one. Errors: those of tbs::context::open().
  [[nodiscard]] static result<async_pool> open(const Executor& executor, std::size_t count,
                                               const open_options& wanted = {}) {
    async_pool made;
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) {
      auto one = async_context<Executor>::open(executor, wanted);
      if (!one) return failure(one.error());
      made.contexts_.push_back(*std::move(one));
    }
    return made;
  }

  [[nodiscard]] executor_type get_executor() const noexcept {
    return contexts_.front().get_executor();
  }
  [[nodiscard]] std::size_t size() const noexcept { return contexts_.size(); }

  // As async_context::async_submit(), on the context that has least to do.
  template <typename Token>
  auto async_submit(bytes command, const options& how, Token&& token) {
    return idlest().async_submit(command, how, std::forward<Token>(token));
  }
  template <typename Token>
    requires(!std::is_convertible_v<Token, const options&>)
  auto async_submit(bytes command, Token&& token) {
    return async_submit(command, options{}, std::forward<Token>(token));
  }

 private:
  async_pool() = default;

  async_context<Executor>& idlest() {
    return *std::min_element(
        contexts_.begin(), contexts_.end(),
        [](const auto& one, const auto& other) { return one.load() < other.load(); });
  }

  std::vector<async_context<Executor>> contexts_;
};

}  // namespace TBS_HPP_NAMESPACE
}  // namespace tbs

#endif  // TBS_ASIO_HPP
