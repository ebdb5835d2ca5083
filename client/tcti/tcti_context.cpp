// The functions in a TCTI context.
//
// After a fork the session in the context is the parent's. Its locks may be held by threads that
// the child does not have, so the child leaves it where it is and makes one of its own.

#include "client/tcti/tcti_context.h"

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "client/descriptor.h"
#include "client/fork_guard.h"
#include "client/tcti/tcti_connection.h"
#include "client/tcti/tcti_log.h"

namespace tbs::tcti {
namespace {

constexpr std::uint64_t kMagic = 0x7462732d74637469;  // "tbs-tcti"

// What the caller's memory holds.
struct ModuleContext {
  TSS2_TCTI_CONTEXT_COMMON_V2 common;
  Session* session;
  Session* inherited;  // the parent's, kept so that it counts as in use
  std::uint32_t generation;
};

ModuleContext* context_of(TSS2_TCTI_CONTEXT* context) {
  auto* const ours = reinterpret_cast<ModuleContext*>(context);
  if (ours == nullptr || ours->common.v1.magic != kMagic || ours->session == nullptr) {
    return nullptr;
  }
  return ours;
}

// Gives a forked child a session of its own, which connects when it is needed.
Session& session_of(ModuleContext& context) {
  if (context.generation != client::fork_generation()) {
    auto own =
        std::make_unique<Session>(context.session->config(), context.session->for_children());
    context.inherited = std::exchange(context.session, own.release());
    context.generation = client::fork_generation();
  }
  return *context.session;
}

// Runs the body with the session; no exception leaves the module.
template <typename Body>
TSS2_RC with_session(TSS2_TCTI_CONTEXT* context, Body body) noexcept {
  auto* const ours = context_of(context);
  if (ours == nullptr) return TSS2_TCTI_RC_BAD_CONTEXT;
  try {
    return body(session_of(*ours));
  } catch (const std::bad_alloc&) {
    return TSS2_TCTI_RC_MEMORY;
  } catch (...) {
    return TSS2_TCTI_RC_GENERAL_FAILURE;
  }
}

TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
  return with_session(context, [&](Session& session) -> TSS2_RC {
    if (command == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
    return session.transmit({command, size});
  });
}

TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response,
                std::int32_t timeout) {
  return with_session(context, [&](Session& session) -> TSS2_RC {
    if (size == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
    if (timeout < TSS2_TCTI_TIMEOUT_BLOCK) return TSS2_TCTI_RC_BAD_VALUE;
    return session.receive(response, *size, timeout);
  });
}

TSS2_RC cancel(TSS2_TCTI_CONTEXT* context) {
  return with_session(context, [](Session& session) { return session.cancel(); });
}

TSS2_RC get_poll_handles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles,
                         std::size_t* count) {
  return with_session(context, [&](Session& session) -> TSS2_RC {
    if (count == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
    const std::size_t room = std::exchange(*count, 1);
    if (handles == nullptr) return TSS2_RC_SUCCESS;
    if (room < 1) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    return session.poll_handle(*handles);
  });
}

TSS2_RC set_locality(TSS2_TCTI_CONTEXT* context, std::uint8_t locality) {
  return with_session(context, [&](Session& session) { return session.set_locality(locality); });
}

// The type of the function is that of the specification.
// NOLINTNEXTLINE(readability-non-const-parameter)
TSS2_RC make_sticky(TSS2_TCTI_CONTEXT* context, TPM2_HANDLE* handle, std::uint8_t sticky) {
  return with_session(context, [&](Session& session) -> TSS2_RC {
    if (handle == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
    if (sticky > 1) return TSS2_TCTI_RC_BAD_VALUE;
    return session.make_sticky(*handle, sticky == 1);
  });
}

void finalize(TSS2_TCTI_CONTEXT* context) {
  auto* const ours = context_of(context);
  if (ours == nullptr) return;
  ours->common.v1.magic = 0;
  Session* const session = std::exchange(ours->session, nullptr);
  if (ours->generation == client::fork_generation()) {
    delete session;
  } else if (const auto from = session->for_children()) {
    client::Descriptor::close_inherited(from->label());
  }
}

TSS2_RC initialize(ModuleContext& context, std::expected<Config, std::string> config) {
  if (!config) {
    log(LogLevel::Error, "configuration: " + config.error());
    return TSS2_TCTI_RC_BAD_VALUE;
  }
  auto session = std::make_unique<Session>(std::move(*config));
  if (const TSS2_RC failed = session->connect(); failed != TSS2_RC_SUCCESS) return failed;
  context = {.common = {.v1 = {.magic = kMagic,
                               .version = kContextVersion,
                               .transmit = transmit,
                               .receive = receive,
                               .finalize = finalize,
                               .cancel = cancel,
                               .getPollHandles = get_poll_handles,
                               .setLocality = set_locality},
                        .makeSticky = make_sticky},
             .session = session.release(),
             .inherited = nullptr,
             .generation = client::fork_generation()};
  return TSS2_RC_SUCCESS;
}

}  // namespace

TSS2_RC init_context(TSS2_TCTI_CONTEXT* context, std::size_t* size, const char* configuration,
                     ReadConfig read) noexcept {
  if (context == nullptr) {
    if (size == nullptr) return TSS2_TCTI_RC_BAD_VALUE;
    *size = sizeof(ModuleContext);
    return TSS2_RC_SUCCESS;
  }
  if (size != nullptr && *size < sizeof(ModuleContext)) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  try {
    return initialize(*reinterpret_cast<ModuleContext*>(context),
                      read(configuration == nullptr ? "" : configuration));
  } catch (const std::bad_alloc&) {
    return TSS2_TCTI_RC_MEMORY;
  } catch (...) {
    return TSS2_TCTI_RC_GENERAL_FAILURE;
  }
}

}  // namespace tbs::tcti
