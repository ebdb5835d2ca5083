#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>

#include "tests/bench/bare_relay.h"
#include "tests/bench/daemon.h"
#include "tests/bench/expect_success.h"
#include "tests/bench/kernel_device.h"
#include "tests/bench/samples.h"
#include "tests/bench/sections.h"
#include "tests/bench/signing_key.h"
#include "tests/bench/tabrmd.h"
#include "tests/bench/tabrmd_client.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr std::uint16_t kRandom = 16;
constexpr unsigned kMany = 3;

// Times the rate of /dev/tpmrm0, on a TPM whose commands all take the same time.
constexpr double kOneKey = 4;
constexpr double kManyKeys = 10;
constexpr double kOfRaw = 0.9;  // of the rate of /dev/tpm0

constexpr double kOfBareRelay = 0.9;  // of the rate of a daemon that does nothing

const std::string kBareRelay = "bare relay";

struct Row {
  const char* name;
  unsigned keys;
  unsigned sessions;
  bool random = false;
};

constexpr std::array kRows = {
    Row{.name = "GetRandom(16)", .keys = 0, .sessions = 0, .random = true},
    Row{.name = "sign, 1 key held, password", .keys = 1, .sessions = 0},
    Row{.name = "sign, 1 key and 1 session held", .keys = 1, .sessions = 1},
    Row{.name = "sign, 3 keys held, password", .keys = kMany, .sessions = 0},
    Row{.name = "sign, 3 keys and 3 sessions held", .keys = kMany, .sessions = kMany},
};

struct Outcome {
  double per_second = 0;
  double p50 = 0;  // ms
  double tpm_commands = 0;
};

// What one client holds while it works.
class Holder {
 public:
  Holder(Client& client, const Row& row) : client_(client), row_(row) {
    for (unsigned i = 0; i < row.keys; ++i) keys_.push_back(create_key(client, i));
    for (unsigned i = 0; i < row.sessions; ++i) sessions_.emplace_back(client);
  }
  ~Holder() {
    for (const SigningKey& key : keys_) flush(client_, key.handle);
    for (const HmacSession& session : sessions_) flush(client_, session.handle());
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void work() {
    if (row_.random) {
      expect_success(client_.run(test::tpm::get_random(kRandom)), "GetRandom");
    } else if (sessions_.empty()) {
      sign_by_password(client_, keys_.front());
    } else {
      sessions_.front().sign(client_, keys_.front());
    }
  }

 private:
  Client& client_;
  const Row& row_;
  std::vector<SigningKey> keys_;
  std::vector<HmacSession> sessions_;
};

Outcome measure(Client& client, const Row& row, const DriverProbe& probe,
                std::chrono::duration<double> duration) {
  Holder holder(client, row);
  for (int i = 0; i < 10; ++i) holder.work();
  std::vector<double> samples;
  const std::size_t before = probe.commands();
  const auto start = Clock::now();
  while (Clock::now() - start < duration) {
    const auto begun = Clock::now();
    holder.work();
    samples.push_back(micros_since(begun));
  }
  const double seconds = micros_since(start) / 1e6;
  const auto count = static_cast<double>(samples.size());
  return {.per_second = count / seconds,
          .p50 = median(samples) / 1000,
          .tpm_commands = static_cast<double>(probe.commands() - before) / count};
}

using Outcomes = std::map<std::string, std::map<std::string, Outcome>>;  // by row, by path

// The paths share one TPM, which one of them has at a time.
class Run {
 public:
  explicit Run(const Setup& setup) : setup_(setup), bus_(folder_) {}

  Outcomes measure_all() {
    along("/dev/tpm0", [] { return std::make_unique<NodeClient>("/dev/tpm0"); });
    along("/dev/tpmrm0", [] { return std::make_unique<NodeClient>("/dev/tpmrm0"); });
    along(kBareRelay, [] { return std::make_unique<BareRelayClient>("/dev/tpm0"); });
    if (have_tabrmd()) {
      const Tabrmd tabrmd(folder_, "kernel", "device:/dev/tpm0");
      along("tpm2-abrmd", tabrmd_clients(tabrmd.bus_name()));
    }
    Daemon daemon(setup_, folder_, "tbsd", "/dev/tpm0");
    daemon.wait_until_ready();
    along("tbsd", tbs_clients(daemon.socket()));
    return std::move(outcomes_);
  }

 private:
  void along(const std::string& path, const OpenClient& open) {
    const std::unique_ptr<Client> client = open();
    for (const Row& row : kRows) {
      outcomes_[row.name][path] = measure(*client, row, probe_, setup_.duration);
    }
  }

  const Setup& setup_;
  test::TempFolder folder_;
  PrivateBus bus_;
  DriverProbe probe_;
  Outcomes outcomes_;
};

// Which chip the guest's TPM is as slow as; empty: as fast as the software goes.
std::string chip_of_guest() {
  const char* const name = std::getenv("TBS_GUEST_CHIP");
  return name == nullptr ? std::string() : name;
}

void add_goals(Section& section, const Row& row, std::map<std::string, Outcome>& paths) {
  const double rate = paths["tbsd"].per_second;
  const auto at_least = [&](const std::string& what, double other, double limit) {
    section.goals.push_back(
        {std::string(row.name) + ": " + what, rate / other, Bound::AtLeast, limit});
  };
  at_least("of the rate of /dev/tpm0", paths["/dev/tpm0"].per_second, kOfRaw);
  at_least("of the rate of a bare relay", paths[kBareRelay].per_second, kOfBareRelay);
  const bool plain = chip_of_guest().empty();
  const double factor = row.keys == 0 || !plain ? 1 : row.keys == 1 ? kOneKey : kManyKeys;
  at_least("times /dev/tpmrm0's rate", paths["/dev/tpmrm0"].per_second, factor);
  if (paths.contains("tpm2-abrmd")) {
    at_least("times tpm2-abrmd's rate", paths["tpm2-abrmd"].per_second, 1);
  }
}

}  // namespace

Section measure_kernel(const Setup& setup) {
  Outcomes outcomes = Run(setup).measure_all();
  Section section{.name = "kernel"};
  const std::string chip = chip_of_guest();
  Table table{.title = "One client on the kernel's device" +
                       (chip.empty() ? chip : ", a TPM with the timings of " + chip),
              .columns = {"work", "path", "per s", "of /dev/tpm0", "p50 ms", "TPM commands"}};
  for (const Row& row : kRows) {
    auto& paths = outcomes.at(row.name);
    for (const auto& [path, outcome] : paths) {
      table.rows.push_back({row.name, path, outcome.per_second,
                            outcome.per_second / paths["/dev/tpm0"].per_second, outcome.p50,
                            outcome.tpm_commands});
    }
    add_goals(section, row, paths);
  }
  section.tables.push_back(std::move(table));
  return section;
}

}  // namespace tbs::bench
