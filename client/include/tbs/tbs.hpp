// SPDX-License-Identifier: BSD-2-Clause
//
// tbs.hpp: TPM Base Services for C++20 and later. It is a thin layer on tbs.h and tbsx.h, all of it
// in this header: link with libtbs (`pkg-config --cflags --libs tbs`). For Boost.Asio there is
// <tbs/asio.hpp>.
//
//   auto tpm = tbs::context::open();
//   if (!tpm) return fail(tpm.error().message());
//   std::array<std::uint8_t, 4096> room;
//   auto response = tpm->submit(command, room, {.timeout = 2s});
//   if (!response) return fail(response.error().message());
//
// Conventions
// -----------
// - Errors are values. What can fail returns a tbs::result, which is std::expected where the
// library
//   has it (C++23) and a class with the same members otherwise. Nothing here throws, but for the
//   overload of submit() that returns a vector, when there is no memory; the header works with
//   -fno-exceptions and -fno-rtti.
// - An error of the TPM is no error here: it is in the response, whose bytes 6 to 9 are the TPM's
//   response code.
// - Buffers belong to the caller. None is kept after the function returned.
// - A context may be used by several threads at once; a cancel, a stop and a time-out then end what
//   all of them have outstanding on it. Threads that shall not touch each other have a context
//   each. Moving, closing and destroying a context is for one thread, when no other uses it.
// - After fork() a context belongs to the parent alone; see tbs.h.
// - Every function can fail with TBS_E_INTERNAL_ERROR (no memory or no descriptors left), and one
// of
//   a context that was closed or moved from fails with TBS_E_INVALID_CONTEXT. This is not repeated
//   below.
#ifndef TBS_HPP
#define TBS_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#include <version>

#include "tbs.h"
#include "tbsx.h"

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>
#define TBS_HPP_NAMESPACE with_std_expected
#else
#define TBS_HPP_NAMESPACE with_own_result
#endif

namespace tbs {
// Programs may link parts that were compiled as C++20 with parts as C++23: the types differ, and so
// do their names for the linker.
inline namespace TBS_HPP_NAMESPACE {

// Why a function failed: a code and words for it.
class error {
 public:
  // `code`: a code of tbs.h or tbsx.h, TBS_SUCCESS apart.
  constexpr explicit error(TBS_RESULT code) noexcept : code_(code) {}

  // The code, such as TBS_E_COMMAND_CANCELED.
  [[nodiscard]] constexpr TBS_RESULT code() const noexcept { return code_; }
  // Its name, such as "TBS_E_COMMAND_CANCELED". A constant text, never null.
  [[nodiscard]] const char* name() const noexcept { return Tbsx_Result_Name(code_); }
  // A line of English. A constant text, never null.
  [[nodiscard]] const char* message() const noexcept { return Tbsx_Result_Text(code_); }

  // Cancelled: by this program, or by an administrator (TBS_E_COMMAND_CANCELED).
  [[nodiscard]] constexpr bool canceled() const noexcept { return code_ == TBS_E_COMMAND_CANCELED; }
  // Given up, since there was no response in time (TBSX_E_TIMED_OUT).
  [[nodiscard]] constexpr bool timed_out() const noexcept { return code_ == TBSX_E_TIMED_OUT; }

  friend constexpr bool operator==(error, error) noexcept = default;
  friend constexpr bool operator==(error one, TBS_RESULT code) noexcept {
    return one.code_ == code;
  }

 private:
  TBS_RESULT code_;
};

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
// A value, or why there is none.
template <typename Value>
using result = std::expected<Value, error>;
using failure = std::unexpected<error>;
#else
// What a function returns that has failed: `return failure(error(code))`.
class failure {
 public:
  constexpr explicit failure(tbs::error why) noexcept : why_(why) {}
  [[nodiscard]] constexpr const tbs::error& error() const noexcept { return why_; }

 private:
  tbs::error why_;
};

// A value, or why there is none: the part of std::expected that programs use most. Reading the
// value of one that has none is undefined, as there.
template <typename Value>
class result {
  using Held = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

 public:
  using value_type = Value;
  using error_type = tbs::error;

  constexpr result() noexcept
    requires std::is_void_v<Value>
  = default;
  template <typename Other = Held>
    requires(!std::is_void_v<Value> && std::is_constructible_v<Held, Other> &&
             !std::is_same_v<std::remove_cvref_t<Other>, result> &&
             !std::is_same_v<std::remove_cvref_t<Other>, failure>)
  constexpr result(Other&& value) : held_(std::in_place_index<0>, std::forward<Other>(value)) {}
  constexpr result(failure why) noexcept : held_(std::in_place_index<1>, why.error()) {}

  [[nodiscard]] constexpr bool has_value() const noexcept { return held_.index() == 0; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return has_value(); }

  constexpr Held& operator*() & noexcept { return *std::get_if<0>(&held_); }
  constexpr const Held& operator*() const& noexcept { return *std::get_if<0>(&held_); }
  constexpr Held&& operator*() && noexcept { return std::move(*std::get_if<0>(&held_)); }
  constexpr Held* operator->() noexcept { return std::get_if<0>(&held_); }
  constexpr const Held* operator->() const noexcept { return std::get_if<0>(&held_); }
  constexpr const tbs::error& error() const noexcept { return *std::get_if<1>(&held_); }

  template <typename Other>
  [[nodiscard]] constexpr Held value_or(Other&& other) && {
    if (has_value()) return **std::move(this);
    return static_cast<Held>(std::forward<Other>(other));
  }

 private:
  std::variant<Held, tbs::error> held_;
};
#endif

// Bytes that a function reads, and bytes that it writes to. tss2-mu's buffers and arrays of BYTE
// convert to both.
using bytes = std::span<const std::uint8_t>;
using room = std::span<std::uint8_t>;

// The names of five priorities; any other number is one, too. Source: tbs.h.
namespace priority {
inline constexpr TBS_COMMAND_PRIORITY low = TBS_COMMAND_PRIORITY_LOW;
inline constexpr TBS_COMMAND_PRIORITY normal = TBS_COMMAND_PRIORITY_NORMAL;
inline constexpr TBS_COMMAND_PRIORITY high = TBS_COMMAND_PRIORITY_HIGH;
inline constexpr TBS_COMMAND_PRIORITY system = TBS_COMMAND_PRIORITY_SYSTEM;
inline constexpr TBS_COMMAND_PRIORITY max = TBS_COMMAND_PRIORITY_MAX;
}  // namespace priority

// How a command is submitted. Most commands take the defaults.
struct options {
  TBS_COMMAND_PRIORITY priority = TBS_COMMAND_PRIORITY_NORMAL;
  TBS_COMMAND_LOCALITY locality = TBS_COMMAND_LOCALITY_ZERO;
  // When to give the command up; nothing waits for as long as it takes. Rounded up to milliseconds;
  // what is longer than 24 days is no time-out.
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
};

// What a context is opened for. With the defaults: a TPM 2.0, on the service's usual socket.
struct open_options {
  // The socket file; null for the one that libtbs chooses (see tbs.h). Used during the call only.
  const char* socket = nullptr;
  // The families that the program can use.
  bool tpm20 = true;
  bool tpm12 = false;
};

// What the service said when the context was connected last. Source: Tbsx_Get_Context_Info.
using context_info = TBSX_CONTEXT_INFO;

namespace detail {

// Milliseconds for libtbs, where a negative number is no time-out.
constexpr INT32 timeout_of(const std::optional<std::chrono::milliseconds>& timeout) noexcept {
  if (!timeout || timeout->count() > INT32_MAX) return -1;
  return timeout->count() < 0 ? 0 : static_cast<INT32>(timeout->count());
}

// As libtbs takes sizes. What is larger is refused there, or of no use.
constexpr UINT32 size_of(bytes some) noexcept {
  return some.size() > UINT32_MAX ? UINT32_MAX : static_cast<UINT32>(some.size());
}
constexpr UINT32 capacity_of(bytes some) noexcept {
  return some.size() > TBS_IN_OUT_BUF_SIZE_MAX ? TBS_IN_OUT_BUF_SIZE_MAX
                                               : static_cast<UINT32>(some.size());
}

}  // namespace detail

// A TBS context: to its program a TPM of its own. Movable, not copyable. When it goes, it is
// closed: what other threads wait for ends with TBS_E_COMMAND_CANCELED, and what it has on the TPM
// is flushed.
class context {
 public:
  // Opens a context. It waits for a service that is starting, up to 90 s.
  //
  // Errors: TBS_E_INVALID_CONTEXT_PARAM   no family was asked for
  //         TBS_E_BAD_PARAMETER           the socket's name is empty or too long
  //         TBS_E_SERVICE_NOT_RUNNING     nobody listens there
  //         TBS_E_SERVICE_START_PENDING   the service is starting, and has no TPM yet
  //         TBS_E_TPM_NOT_FOUND           no TPM of these families
  //         TBS_E_ACCESS_DENIED           the socket keeps this user out
  //         TBS_E_TOO_MANY_TBS_CONTEXTS   too many of this user, or of all
  // Any thread. Source: Tbsi_Context_Create, Tbsx_Context_Create.
  [[nodiscard]] static result<context> open(const open_options& wanted = {}) noexcept {
    TBS_CONTEXT_PARAMS2 parameters{};
    parameters.version = TBS_CONTEXT_VERSION_TWO;
    parameters.includeTpm20 = wanted.tpm20 ? 1 : 0;
    parameters.includeTpm12 = wanted.tpm12 ? 1 : 0;
    TBS_HCONTEXT handle = nullptr;
    const TBS_RESULT opened = Tbsx_Context_Create(
        reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&parameters), wanted.socket, &handle);
    if (opened != TBS_SUCCESS) return failure(error(opened));
    return context(handle);
  }

  // One without a handle: every function fails until an open one is assigned.
  context() noexcept = default;
  // Takes a handle of the C interface over, and closes it in the end.
  explicit context(TBS_HCONTEXT handle) noexcept : handle_(handle) {}
  context(context&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  context& operator=(context&& other) noexcept {
    if (this != &other) {
      close();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~context() { close(); }

  // Closes it now. Nothing happens to one that is closed. Source: Tbsip_Context_Close.
  void close() noexcept {
    if (handle_ != nullptr) Tbsip_Context_Close(std::exchange(handle_, nullptr));
  }

  // The handle, for the functions of tbs.h and tbsx.h; it stays this object's. Null when closed.
  [[nodiscard]] TBS_HCONTEXT native_handle() const noexcept { return handle_; }
  // The same, and it is the caller's from now on, to be closed with Tbsip_Context_Close.
  [[nodiscard]] TBS_HCONTEXT release() noexcept { return std::exchange(handle_, nullptr); }

  // Submits one TPM command and waits for its response.
  //
  // command: the whole command, with its header.
  // response: where the response is put; it may be the memory of the command. 4096 bytes are enough
  //   for every TPM, info() names the exact number.
  // how: priority, locality, time-out.
  // stop: ends the wait when a stop is requested, before or during the call. The command is then
  //   cancelled: taken out when it waits, stopped on the TPM when it runs there. It does not matter
  //   which thread requests the stop; it waits for the service to see to it (10 ms as a rule; 90 s
  //   and no longer with a service that stands still).
  //
  // Returns the part of `response` that was written: the response, which may be an error of the
  // TPM's. It can be a response also after a stop or a time-out, when it came at that moment.
  //
  // Errors: TBS_E_COMMAND_CANCELED     a stop was requested, or somebody cancelled. A command that
  //                                    waited has not run; one on the TPM may have, or may still
  //                                    run to its end, and what it creates is flushed
  //         TBSX_E_TIMED_OUT           the same, because the time was over
  //         TBS_E_BAD_PARAMETER        the command is below ten bytes, or its header names another
  //                                    size; or a locality above 4
  //         TBS_E_BUFFER_TOO_LARGE     the command is longer than the TPM takes
  //         TBS_E_INVALID_OUTPUT_POINTER  `response` has no memory
  //         TBS_E_INSUFFICIENT_BUFFER  the response is larger, and lost; the command has run
  //         TBS_E_ACCESS_DENIED        this user may not use that locality
  //         TBS_E_TOO_MANY_RESOURCES   too many commands of this user wait; with a time-out or a
  //                                    stop token also: the context has 32 outstanding
  //         TBS_E_SERVICE_NOT_RUNNING  the service is not running, or was stopped meanwhile
  //         TBS_E_IOERROR              the connection broke; the command may have run
  // Any thread. Source: Tbsip_Submit_Command, Tbsx_Submit_Timeout; with a stop token
  // Tbsx_Submit_Begin, Tbsx_Submit_Result and Tbsip_Cancel_Commands.
  [[nodiscard]] result<room> submit(bytes command, room response,
                                    const options& how = {}) const noexcept {
    UINT32 size = detail::capacity_of(response);
    const INT32 timeout = detail::timeout_of(how.timeout);
    const TBS_RESULT ended =
        timeout < 0
            ? Tbsip_Submit_Command(handle_, how.locality, how.priority, command.data(),
                                   detail::size_of(command), response.data(), &size)
            : Tbsx_Submit_Timeout(handle_, how.locality, how.priority, command.data(),
                                  detail::size_of(command), response.data(), &size, timeout);
    if (ended != TBS_SUCCESS) return failure(error(ended));
    return response.first(size);
  }

  [[nodiscard]] result<room> submit(bytes command, room response, const std::stop_token& stop,
                                    const options& how = {}) const {
    if (!stop.stop_possible()) return submit(command, response, how);
    if (stop.stop_requested()) return failure(error(TBS_E_COMMAND_CANCELED));
    if (response.data() == nullptr) return failure(error(TBS_E_INVALID_OUTPUT_POINTER));
    const auto cancel = [this] { (void)this->cancel(); };
    const std::stop_callback on_stop(stop, cancel);
    const auto begun = begin(command, how);
    if (!begun) return failure(begun.error());
    // A stop between the callback and the command had nothing to cancel.
    if (stop.stop_requested()) cancel();
    return finish(*begun, response, how);
  }

  // The same with a response that is as long as it has to be. The only functions that throw:
  // std::bad_alloc.
  [[nodiscard]] result<std::vector<std::uint8_t>> submit(bytes command,
                                                         const options& how = {}) const {
    return in_vector([&](room place) { return submit(command, place, how); });
  }
  [[nodiscard]] result<std::vector<std::uint8_t>> submit(bytes command, const std::stop_token& stop,
                                                         const options& how = {}) const {
    return in_vector([&](room place) { return submit(command, place, stop, how); });
  }

  // Cancels everything that the context has outstanding, of all threads. Success when that is
  // nothing. The context can be used afterwards.
  //
  // Errors: TBS_E_SERVICE_NOT_RUNNING  the service stands still or is gone
  //         TBS_E_IOERROR              the connection broke
  // Any thread, no signal handler: for that there is cancel_descriptor(). Source:
  // Tbsip_Cancel_Commands.
  result<void> cancel() const noexcept { return checked(Tbsip_Cancel_Commands(handle_)); }

  // Submits a command without waiting for its response; the number under which to take the result.
  // The time-out of `how` is not used. A result must be taken, also after a cancel.
  //
  // Errors: TBS_E_TOO_MANY_RESOURCES: 32 are outstanding; and those of submit() that are about the
  // command or the service. Any thread. Source: Tbsx_Submit_Begin.
  [[nodiscard]] result<TBSX_REQUEST> begin(bytes command, const options& how = {}) const noexcept {
    TBSX_REQUEST request = 0;
    const TBS_RESULT begun = Tbsx_Submit_Begin(handle_, how.locality, how.priority, command.data(),
                                               detail::size_of(command), &request);
    if (begun != TBS_SUCCESS) return failure(error(begun));
    return request;
  }

  // Takes the result of a command that was begun.
  //
  // response: as for submit(). When it is too small, the response stays and can be taken again.
  // timeout: how long to wait; 0 does not, nothing waits for as long as it takes.
  //
  // Errors: TBSX_E_PENDING       not answered within the time; ask again
  //         TBS_E_BAD_PARAMETER  there is no such request, or its result was taken
  //         others               how the command ended: those of submit()
  // Any thread. Source: Tbsx_Submit_Result.
  [[nodiscard]] result<room> take(
      TBSX_REQUEST request, room response,
      std::optional<std::chrono::milliseconds> timeout = std::nullopt) const noexcept {
    UINT32 size = detail::capacity_of(response);
    const TBS_RESULT ended =
        Tbsx_Submit_Result(handle_, request, response.data(), &size, detail::timeout_of(timeout));
    if (ended != TBS_SUCCESS) return failure(error(ended));
    return response.first(size);
  }

  // Cancels one command that was begun, and nothing else of the context. It does not wait: how the
  // command ended is in its result.
  //
  // Errors: TBS_E_BAD_PARAMETER   there is no such request, or its result was taken
  //         TBSX_E_NOT_SUPPORTED  the service is too old for it: nothing was cancelled
  // Any thread. Source: Tbsx_Cancel_Request.
  result<void> cancel(TBSX_REQUEST request) const noexcept {
    return checked(Tbsx_Cancel_Request(handle_, request));
  }

  // A descriptor that turns readable when the result of a begun command is ready. It belongs to the
  // context: it is neither read nor closed. Any thread. Source: Tbsx_Get_Poll_Descriptor.
  [[nodiscard]] result<int> poll_descriptor() const noexcept {
    return descriptor(Tbsx_Get_Poll_Descriptor);
  }

  // A descriptor to cancel through where nothing may be called or waited for, a signal handler for
  // instance: a UINT64 that is not 0, written to it, does what cancel() does. It belongs to the
  // context. Any thread. Source: Tbsx_Get_Cancel_Descriptor, which says more.
  [[nodiscard]] result<int> cancel_descriptor() const noexcept {
    return descriptor(Tbsx_Get_Cancel_Descriptor);
  }

  // The context's number and the longest command and response. Any thread. Source:
  // Tbsx_Get_Context_Info.
  [[nodiscard]] result<context_info> info() const noexcept {
    context_info told{};
    const TBS_RESULT asked = Tbsx_Get_Context_Info(handle_, &told);
    if (asked != TBS_SUCCESS) return failure(error(asked));
    return told;
  }

 private:
  static result<void> checked(TBS_RESULT ended) noexcept {
    if (ended != TBS_SUCCESS) return failure(error(ended));
    return {};
  }

  template <typename Get>
  result<int> descriptor(Get get) const noexcept {
    int fd = -1;
    const TBS_RESULT got = get(handle_, &fd);
    if (got != TBS_SUCCESS) return failure(error(got));
    return fd;
  }

  // The end of a submit() that began its command.
  result<room> finish(TBSX_REQUEST request, room response, const options& how) const {
    auto taken = take(request, response, how.timeout);
    const bool late = !taken && taken.error() == TBSX_E_PENDING;
    if (late) {
      (void)cancel();
      taken = take(request, response);
    }
    if (!taken && taken.error() == TBS_E_INSUFFICIENT_BUFFER) forget(request);
    if (late && !taken && taken.error().canceled()) return failure(error(TBSX_E_TIMED_OUT));
    return taken;
  }

  // Takes a response that nobody has room for.
  void forget(TBSX_REQUEST request) const {
    std::vector<std::uint8_t> place(TBS_IN_OUT_BUF_SIZE_MAX);
    (void)take(request, place);
  }

  template <typename Submit>
  result<std::vector<std::uint8_t>> in_vector(Submit into) const {
    const auto told = info();
    if (!told) return failure(told.error());
    std::vector<std::uint8_t> response(told->maxResponse);
    const auto filled = into(room(response));
    if (!filled) return failure(filled.error());
    response.resize(filled->size());
    return response;
  }

  TBS_HCONTEXT handle_ = nullptr;
};

}  // namespace TBS_HPP_NAMESPACE
}  // namespace tbs

#endif  // TBS_HPP
