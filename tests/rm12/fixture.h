#pragma once

// A TPM 1.2 resource manager on a TPM that has an owner and has been brought up, and clients of it.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "proto/byte_reader.h"
#include "proto/tpm12/commands.h"
#include "proto/tpm12/constants.h"
#include "tests/rm12/owned_tpm.h"
#include "tests/support/client12/client.h"
#include "tests/support/client12/structures.h"
#include "tests/support/rm12_bench.h"
#include "tests/support/software_tpm.h"
#include "tests/support/virtual_handles12.h"

namespace tbs::test {

namespace ord = tpm12::ord;
namespace rc = tpm12::rc;

// Resource types, as they stand in commands.
inline constexpr auto kKey = static_cast<std::uint32_t>(tpm12::Kind::Key);
inline constexpr auto kAuth = static_cast<std::uint32_t>(tpm12::Kind::Auth);
inline constexpr auto kTransport = static_cast<std::uint32_t>(tpm12::Kind::Transport);
inline constexpr std::uint32_t kContext = tpm12::kResourceContext;

// A handle that no TPM gives out.
inline constexpr std::uint32_t kNoHandle = 0x00777777;

inline constexpr std::uint16_t kKeyHandle = tpm12::entity::kKeyHandle;

class RealTpm12 {
 public:
  using Bytes = client12::Bytes;

  // An empty flash is that of a TPM without an owner.
  explicit RealTpm12(exec::Options options = verified(), SoftwareTpm::Flash flash = owned_flash())
      : chip(SoftwareTpm::Family::Tpm12, std::move(flash)),
        bench(std::move(options), [this](auto command) { return respond(command); }) {
    start();
    bench.bring_up();
    bench.sent.clear();
  }

  struct Client : client12::Client {
    Client(RealTpm12& tpm, ContextId context)
        : client12::Client([&tpm, context](auto command) {
            return tpm.bench.submit(context, std::move(command));
          }),
          id(context) {}
    ContextId id;
  };

  std::unique_ptr<Client> connect(const Principal& user = kAlice) {
    const ContextId context{++contexts_};
    bench.manager.open_context(context, user);
    return std::make_unique<Client>(*this, context);
  }
  // TPM_Startup(ST_CLEAR), as the firmware sends it.
  void start() { chip.run(tpm12::build::startup_clear()); }
  void disconnect(Client& client) { bench.manager.close_context(client.id); }
  // Speaks to the chip past the resource manager.
  client12::Client direct() {
    return client12::Client([this](auto command) { return chip.run(command); });
  }

  // What the next tests stand in the way with: an answer instead of the TPM's.
  std::function<std::optional<Bytes>(std::span<const std::uint8_t>)> intercept;

  SoftwareTpm chip;
  Rm12Bench bench;

 private:
  Bytes respond(std::span<const std::uint8_t> command) {
    if (intercept) {
      if (auto answer = intercept(command)) return std::move(*answer);
    }
    return chip.run(command);
  }

  std::uint64_t contexts_ = 0;
};

inline std::uint32_t ordinal_of(std::span<const std::uint8_t> command) {
  proto::ByteReader reader(command);
  reader.skip(6);
  return reader.be32();
}

inline client12::Client::Command random(std::uint32_t count) {
  return {.ordinal = ord::kGetRandom, .parameters = client12::words({count})};
}

inline client12::Client::Command sign(std::uint32_t key, client12::Session& session) {
  return {.ordinal = ord::kSign,
          .handles = {key},
          .parameters = client12::sized_bytes(client12::Bytes(tpm12::kDigestSize, 3)),
          .sessions = {&session}};
}

// TPM_Sign without a session.
inline client12::Reply sign_openly(client12::Client& client, std::uint32_t handle) {
  return client.run({.ordinal = ord::kSign,
                     .handles = {handle},
                     .parameters = client12::sized_bytes(client12::Bytes(tpm12::kDigestSize, 3))});
}

}  // namespace tbs::test
