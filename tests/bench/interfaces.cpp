#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include "tests/bench/cpp_client.h"
#include "tests/bench/daemon.h"
#include "tests/bench/direct_client.h"
#include "tests/bench/expect_success.h"
#include "tests/bench/kernel_device.h"
#include "tests/bench/samples.h"
#include "tests/bench/sections.h"
#include "tests/bench/signing_key.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tabrmd_client.h"
#include "tests/bench/tbs_client.h"
#include "tests/bench/tcti_client.h"
#include "tests/bench/unix_socket.h"
#include "tests/integration/support/eventually.h"
#include "tests/integration/support/program.h"
#include "tests/integration/support/tpm_commands.h"
#if TBS_BENCH_ASIO
#include "tests/bench/asio_client.h"
#endif

namespace tbs::bench {
namespace {

constexpr double kNodeLimit = 60;  // us that the node may add
constexpr const char* kNodeName = "tbs-bench";

// One of the ways to tbsd: a program of ours that goes between, where it takes one, and a client.
struct Way {
  std::string name;
  std::unique_ptr<test::Program> between;
  std::unique_ptr<Client> client;
};

std::unique_ptr<Client> open_when(const std::function<bool()>& ready, const OpenClient& open,
                                  const char* what) {
  if (!test::eventually(ready)) throw std::runtime_error(std::string(what) + " does not begin");
  return open();
}

bool listens(const std::string& path) {
  try {
    connect_unix(path);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

Way over_bridge(const Setup& setup, const Daemon& daemon, const test::TempFolder& folder) {
  const std::string path = folder / "bridge.sock";
  Way way{.name = "bridge", .between = nullptr, .client = nullptr};
  way.between = std::make_unique<test::Program>(
      test::ProgramOptions{.command = {setup.tbsctl, "--socket", daemon.socket(), "bridge", path},
                           .environment = {},
                           .output = folder / "bridge.log"});
  way.client = open_when([&] { return listens(path); }, [&] { return direct_clients(path)(); },
                         "tbsctl bridge");
  return way;
}

// Why there can be no node here; empty: there can be one.
std::string no_node() {
  if (std::string(TBS_BENCH_NODE).empty()) return "tbs-node was not built";
  if (::access("/dev/cuse", R_OK | W_OK) != 0)
    return "/dev/cuse is not there, or not for this user";
  return {};
}

Way over_node(const test::TempFolder& folder, const std::string& node_socket) {
  Way way{.name = "node", .between = nullptr, .client = nullptr};
  way.between = std::make_unique<test::Program>(test::ProgramOptions{
      .command = {TBS_BENCH_NODE, "--name", kNodeName, "--socket", node_socket},
      .environment = {},
      .output = folder / "node.log"});
  const std::string path = std::string("/dev/") + kNodeName;
  way.client = open_when([&] { return ::access(path.c_str(), R_OK | W_OK) == 0; },
                         [&] { return std::make_unique<NodeClient>(path); }, "tbs-node");
  return way;
}

struct Times {
  double libtbs = 0;  // p50 of a round, us
  double other = 0;
};

double time_of(Client& client, proto::Bytes command) {
  const auto start = Clock::now();
  expect_success(client.run(command), "GetRandom");
  return micros_since(start);
}

// One command by each in turn, and each as often first: whatever the machine does meanwhile falls
// on both alike.
Times one_round(Client& libtbs, Client& other, std::chrono::duration<double> duration) {
  const auto command = test::tpm::get_random(16);
  std::array<std::vector<double>, 2> times;
  const std::array<Client*, 2> clients{&libtbs, &other};
  const auto warm = Clock::now() + std::chrono::duration_cast<Clock::duration>(duration / 10);
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(duration);
  for (unsigned turn = 0; Clock::now() < end; ++turn) {
    for (const unsigned who : {turn % 2, 1 - turn % 2}) {
      const double took = time_of(*clients.at(who), command);
      if (Clock::now() > warm) times.at(who).push_back(took);
    }
  }
  return {.libtbs = median(std::move(times[0])), .other = median(std::move(times[1]))};
}

// Median, lowest and highest of the rounds' differences and ratios.
std::vector<Value> row_of(const Setup& setup, Client& libtbs, const Way& way) {
  std::vector<double> times;
  std::vector<double> added;
  std::vector<double> ratio;
  for (unsigned round = 0; round < setup.rounds; ++round) {
    const Times pair = one_round(libtbs, *way.client, setup.duration);
    times.push_back(pair.other);
    added.push_back(pair.other - pair.libtbs);
    ratio.push_back(pair.other / pair.libtbs);
  }
  return {way.name,
          median(times),
          median(added),
          percentile(added, 0),
          percentile(added, 1),
          median(ratio),
          percentile(ratio, 0),
          percentile(ratio, 1)};
}

std::unique_ptr<Client> over_tcti(const std::string& module, const std::string& socket) {
  return std::make_unique<TctiClient>(load_tcti(module), "socket=" + socket, module);
}

// `left_out`: what is not there, and why.
std::vector<Way> all_ways(const Setup& setup, const Daemon& daemon, const test::TempFolder& folder,
                          const std::string& node_socket, std::vector<std::string>& left_out) {
  const std::string& socket = daemon.socket();
  std::vector<Way> ways;
  const auto add = [&](const char* name, std::unique_ptr<Client> client) {
    ways.push_back({.name = name, .between = nullptr, .client = std::move(client)});
  };
  add("libtbs again", std::make_unique<TbsClient>(socket));
  add("tbs.hpp", std::make_unique<CppClient>(socket));
#if TBS_BENCH_ASIO
  add("tbs/asio.hpp", std::make_unique<AsioClient>(socket));
#else
  left_out.emplace_back("tbs/asio.hpp is left out: compiled without Boost");
#endif
  if (std::string(TBS_BENCH_TCTI).empty()) {
    left_out.emplace_back("TCTI and drop-in are left out: they were not built");
  } else {
    add("TCTI", over_tcti(TBS_BENCH_TCTI, socket));
    // Found by its soname from now on, if that one is there: not by that of our own, which is next.
    (void)have_tabrmd();
    add("drop-in for abrmd", over_tcti(TBS_BENCH_DROP_IN, socket));
  }
  ways.push_back(over_bridge(setup, daemon, folder));
  if (const std::string why = no_node(); why.empty()) {
    ways.push_back(over_node(folder, node_socket));
  } else {
    left_out.push_back("the node is left out: " + why);
  }
  return ways;
}

}  // namespace

Section measure_interfaces(const Setup& setup) {
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  const std::string node_socket = folder / "node.sock";
  std::vector<std::string> arguments;
  if (no_node().empty()) arguments.push_back("--node-socket=" + node_socket);
  Daemon daemon(setup, folder, "tbsd", tpm.device(), arguments);
  daemon.wait_until_ready();
  Section section{.name = "interfaces"};
  Table table{.title = "GetRandom(16) on swtpm: each interface beside libtbs, in pairs",
              .columns = {"interface", "p50 us", "added us", "lowest us", "highest us", "ratio",
                          "lowest", "highest"}};
  TbsClient libtbs(daemon.socket());
  for (const Way& way : all_ways(setup, daemon, folder, node_socket, section.notes)) {
    table.rows.push_back(row_of(setup, libtbs, way));
    if (way.name != "node") continue;
    section.goals.push_back({"us that the node adds to libtbs",
                             std::get<double>(table.rows.back().at(2)), Bound::AtMost, kNodeLimit});
  }
  section.tables.push_back(std::move(table));
  return section;
}

}  // namespace tbs::bench
