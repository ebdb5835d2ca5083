#include "tests/bench/random_load.h"

#include <memory>
#include <vector>

#include "tests/bench/expect_success.h"
#include "tests/bench/load.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {

Rate random_load(const OpenClient& open, unsigned clients, std::chrono::duration<double> duration) {
  const proto::Buffer command = test::tpm::get_random(16);
  std::vector<Task> tasks;
  for (unsigned i = 0; i < clients; ++i) {
    tasks.emplace_back([&command, client = std::shared_ptr<Client>(open())] {
      expect_success(client->run(command), "GetRandom");
    });
  }
  return run_load(tasks, duration);
}

}  // namespace tbs::bench
