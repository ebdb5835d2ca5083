#pragma once

// A resource manager on a TPM that has been brought up, and clients of it.

#include <memory>
#include <utility>

#include "tests/support/esys_client.h"
#include "tests/support/rm_bench.h"
#include "tests/support/test_chip.h"

namespace tbs::test {

class RealTpm {
 public:
  explicit RealTpm(exec::Options options = verified())
      : bench(std::move(options), [this](auto command) { return respond(command); }) {
    bench.bring_up();
    bench.sent.clear();
  }

  struct Client : EsysClient {
    Client(RealTpm& tpm, ContextId context)
        : EsysClient([&tpm, context](auto command) {
            return tpm.bench.submit(context, std::move(command));
          }),
          id(context) {}
    ContextId id;
  };

  std::unique_ptr<Client> connect(const Principal& user = kAlice) {
    const ContextId context{++contexts_};
    bench.manager.open_context(context, user);
    auto client = std::make_unique<Client>(*this, context);
    bench.sent.clear();
    return client;
  }
  // The client's own connection goes; what is left of it is the resource manager's business.
  void disconnect(Client& client) { bench.manager.close_context(client.id); }

  // What the next tests stand in the way with: an answer instead of the TPM's.
  std::function<std::optional<RmBench::Bytes>(std::span<const std::uint8_t>)> intercept;

  TestChip chip;
  RmBench bench;

 private:
  RmBench::Bytes respond(std::span<const std::uint8_t> command) {
    if (intercept) {
      if (auto answer = intercept(command)) return std::move(*answer);
    }
    return chip.run(command);
  }

  std::uint64_t contexts_ = 0;
};

}  // namespace tbs::test
