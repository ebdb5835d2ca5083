// The load whose cost is counted (cost.py): so many clients send so many commands each, one after
// the other, and end; or they connect and disconnect so often. What goes before the first command
// costs the same whatever their number, also that of the contexts that are open meanwhile.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/expect_success.h"
#include "tests/bench/many_contexts.h"
#include "tests/bench/signing_key.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

struct Order {
  const char* socket;
  unsigned long clients;
  unsigned long commands;  // of each
  std::string_view work;
  unsigned long others;    // contexts that are open meanwhile
  unsigned long accounts;  // that the clients belong to; 0: that of who runs this
};

// This thread connects as one of so many users. Only for root.
void become_user(unsigned long accounts, unsigned number) {
  constexpr unsigned long kFirst = 20001;
  if (::syscall(SYS_setresuid, -1L, kFirst + number % accounts, -1L) != 0) {
    throw std::runtime_error("cannot become another user");
  }
}

void work(const Order& order, unsigned number) {
  if (order.accounts > 0) become_user(order.accounts, number);
  if (order.work == "connect") {
    for (unsigned long i = 0; i < order.commands; ++i) TbsClient client(order.socket);
    return;
  }
  TbsClient client(order.socket);
  if (order.work == "random") {
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
  const ManyContexts others(order.socket, order.others);
  others.load_keys();
  // One client without a thread: what it costs is the library's.
  if (order.clients == 1) return work_guarded(order, 0);
  std::vector<char> done(order.clients);
  {
    std::vector<std::jthread> threads;
    threads.reserve(order.clients);
    for (unsigned i = 0; i < order.clients; ++i) {
      threads.emplace_back([&, i] { done[i] = work_guarded(order, i) ? 1 : 0; });
    }
  }
  return std::ranges::all_of(done, [](char one) { return one != 0; });
}

}  // namespace
}  // namespace tbs::bench

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: cost_client SOCKET CLIENTS COMMANDS random|sign|connect OTHERS ACCOUNTS\n",
               stderr);
    return 2;
  }
  const tbs::bench::Order order{.socket = argv[1],
                                .clients = std::strtoul(argv[2], nullptr, 10),
                                .commands = std::strtoul(argv[3], nullptr, 10),
                                .work = argv[4],
                                .others = std::strtoul(argv[5], nullptr, 10),
                                .accounts = std::strtoul(argv[6], nullptr, 10)};
  try {
    return tbs::bench::carry_out(order) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cost_client: %s\n", error.what());
    return 1;
  }
}
