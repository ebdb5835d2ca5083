#include "tests/bench/workload.h"

#include <optional>

#include "tests/bench/expect_success.h"
#include "tests/bench/load.h"
#include "tests/bench/signing_key.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

// What fits into every TPM.
constexpr unsigned kSlots = 3;

// A client with its keys.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual void step() = 0;
  // For clients of a TPM that nobody clears up.
  virtual void clear_up() {}
};

class KeyUser : public Worker {
 public:
  KeyUser(std::unique_ptr<Client> client, const Workload& workload, unsigned number)
      : client_(std::move(client)), work_(workload.work) {
    for (unsigned i = 0; i < workload.keys; ++i) {
      keys_.push_back(create_key(*client_, number * workload.keys + i));
    }
    if (work_ == Work::SignBySession) session_.emplace(*client_);
  }

  void step() override {
    const SigningKey& key = keys_[turn_++ % keys_.size()];
    switch (work_) {
      case Work::SignByPassword:
        return sign_by_password(*client_, key);
      case Work::SignBySession:
        return session_->sign(*client_, key);
      case Work::ReadPublic:
        expect_success(client_->run(test::tpm::read_public(key.handle)), "ReadPublic");
    }
  }

  void clear_up() override {
    for (const SigningKey& key : keys_) flush(*client_, key.handle);
    if (session_) flush(*client_, session_->handle());
  }

 private:
  std::unique_ptr<Client> client_;
  Work work_;
  std::vector<SigningKey> keys_;
  std::optional<HmacSession> session_;
  std::size_t turn_ = 0;
};

// More keys than the TPM holds, without anybody's help: each is loaded for its turn.
class KeyJuggler : public Worker {
 public:
  KeyJuggler(std::unique_ptr<Client> client, const Workload& workload)
      : client_(std::move(client)) {
    for (unsigned i = 0; i < workload.keys; ++i) {
      const SigningKey key = create_key(*client_, i);
      contexts_.push_back(save(*client_, key.handle));
      flush(*client_, key.handle);
    }
  }

  void step() override {
    const std::uint32_t handle = load(*client_, contexts_[turn_++ % contexts_.size()]);
    sign_by_password(*client_, {.handle = handle, .name = {}});
    flush(*client_, handle);
  }

 private:
  std::unique_ptr<Client> client_;
  std::vector<proto::Buffer> contexts_;
  std::size_t turn_ = 0;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

Workers hire(const AccessPath& path, const Workload& workload) {
  Workers workers;
  if (path.raw() && workload.keys > kSlots) {
    workers.push_back(std::make_unique<KeyJuggler>(path.open(), workload));
    return workers;
  }
  // One line and no room for all the keys: more clients could do no more than one does.
  const unsigned clients = path.raw() ? 1 : workload.clients;
  for (unsigned i = 0; i < clients; ++i) {
    workers.push_back(std::make_unique<KeyUser>(path.open(), workload, i));
  }
  return workers;
}

}  // namespace

Outcome run_workload(AccessPath& path, const Workload& workload,
                     std::chrono::duration<double> duration) {
  Workers workers = hire(path, workload);
  std::vector<Task> tasks;
  for (const auto& worker : workers) tasks.emplace_back([&worker] { worker->step(); });
  path.slow_down();
  run_load(tasks, duration / 10);
  const std::size_t before = path.tpm_commands();
  const Rate rate = run_load(tasks, duration);
  const auto reached = static_cast<double>(path.tpm_commands() - before);
  path.speed_up();
  if (path.raw()) {
    for (const auto& worker : workers) worker->clear_up();
  }
  return {.rate = rate, .tpm_commands = rate.commands > 0 ? reached / rate.commands : 0};
}

}  // namespace tbs::bench
