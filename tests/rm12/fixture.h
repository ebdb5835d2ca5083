#pragma once

// A TPM 1.2 resource manager on a TPM that has an owner and has been brought up, and clients of it.

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "tests/rm12/owned_tpm.h"
#include "tests/support/client12/client.h"
#include "tests/support/client12/structures.h"
#include "tests/support/rm12_bench.h"
#include "tests/support/software_tpm.h"

namespace tbs::test {

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
  void start() { chip.run(client12::Bytes{0x00, 0xC1, 0, 0, 0, 12, 0, 0, 0, 0x99, 0, 1}); }
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

}  // namespace tbs::test
