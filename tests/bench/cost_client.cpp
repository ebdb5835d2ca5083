// The load whose cost is counted (cost.py): so many clients send so many commands each, one after
// the other, and end. What goes before the first command costs the same whatever their number.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/expect_success.h"
#include "tests/bench/signing_key.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

struct Order {
  const char* socket;
  unsigned long clients;
  unsigned long commands;  // of each
  bool sign;
};

void work(const Order& order, unsigned number) {
  TbsClient client(order.socket);
  if (!order.sign) {
    const proto::Buffer command = test::tpm::get_random(16);
    for (unsigned long i = 0; i < order.commands; ++i) {
      expect_success(client.run(command), "GetRandom");
    }
    return;
  }
  const SigningKey key = create_key(client, number);
  for (unsigned long i = 0; i < order.commands; ++i) sign_by_password(client, key);
}

// False when a client could not do its work.
bool work_guarded(const Order& order, unsigned number) {
  try {
    work(order, number);
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cost_client: %s\n", error.what());
    return false;
  }
}

bool carry_out(const Order& order) {
  // One client without a thread: what it costs is the library's.
  if (order.clients == 1) return work_guarded(order, 0);
  std::vector<char> done(order.clients);
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < order.clients; ++i) {
      threads.emplace_back([&, i] { done[i] = work_guarded(order, i) ? 1 : 0; });
    }
  }
  return std::ranges::all_of(done, [](char one) { return one != 0; });
}

}  // namespace
}  // namespace tbs::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: cost_client SOCKET CLIENTS COMMANDS random|sign\n", stderr);
    return 2;
  }
  const tbs::bench::Order order{.socket = argv[1],
                                .clients = std::strtoul(argv[2], nullptr, 10),
                                .commands = std::strtoul(argv[3], nullptr, 10),
                                .sign = std::string_view(argv[4]) == "sign"};
  return tbs::bench::carry_out(order) ? 0 : 1;
}
