#pragma once

// Random clients of all engines together, on a real TPM in the test's own process: keys, sequences,
// sessions, wrong passwords, NV indices, raw contexts, contexts that close while their command
// runs, a device that is lost, settings that change.

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "tests/restart/engine_life.h"
#include "tests/support/software_tpm.h"

namespace tbs::test {

class Household {
 public:
  explicit Household(std::uint32_t seed);

  void step();
  // How many of its commands had a failed authorization, made an NV index, ran in a raw context.
  struct Seen {
    unsigned failures = 0;
    unsigned indices = 0;
    unsigned raw = 0;
    unsigned detached = 0;
    unsigned refused = 0;  // by a guard or the rules
  };
  [[nodiscard]] const Seen& seen() const { return seen_; }

 private:
  struct Client {
    ContextId context{};
    UserId user{};
    bool raw = false;
    std::vector<std::uint32_t> objects;
    std::vector<std::uint32_t> sessions;
    std::vector<proto::Buffer> saved;
  };

  std::size_t pick(std::size_t below) { return random_() % below; }
  void open();
  void close(std::size_t at);
  void raw_context();
  void command(Client& client);
  void settings();
  void lose();
  proto::Buffer some_command(Client& client);
  void keep(Client& client, const proto::Buffer& command, const proto::Buffer& response);
  void maintain();
  // Empty when the device was lost.
  std::optional<exec::Done> run(std::unique_ptr<exec::Execution> execution, bool client = false);

  World world_;
  SoftwareTpm tpm_;
  RestartingEngine engine_;
  std::mt19937 random_;
  std::vector<Client> clients_;
  std::uint64_t contexts_ = 0;
  Seen seen_;
};

}  // namespace tbs::test
