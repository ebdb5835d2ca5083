// Clients at work on one daemon, while somebody restarts it: restart_clients SOCKET TIMES
// KIND:COUNT...
//
// Says "working" when each client has done its first round, and works until its standard input
// ends. A line for each fault, and at the end what has been done, as JSON; the times of all answers
// go to the file TIMES. The exit status is 1 when something went wrong.

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <latch>
#include <string_view>
#include <thread>

#include <unistd.h>

#include "proto/tpm/structures.h"
#include "tests/integration/restart/work.h"

namespace {

using namespace tbs::test;

using Make = std::unique_ptr<Work> (*)(const Setting&, unsigned);

struct Kind {
  std::string_view name;
  Make make;
  bool anew = false;  // after a fault: what it had on the TPM may be gone
};
constexpr std::array kKinds = {
    Kind{.name = "pcr", .make = count_pcr_extends},
    Kind{.name = "nv", .make = count_nv_increments},
    Kind{.name = "sign", .make = sign_and_verify, .anew = true},
    Kind{.name = "hash", .make = hash_sequences, .anew = true},
    Kind{.name = "policy", .make = policy_sessions, .anew = true},
    Kind{.name = "queue", .make = queue_updates, .anew = true},
    Kind{.name = "cancel", .make = cancel_commands, .anew = true},
    Kind{.name = "seldom", .make = seldom_a_command, .anew = true},
    Kind{.name = "new", .make = come_and_go},
    Kind{.name = "pcr12", .make = count_pcr_extends12},
    Kind{.name = "sign12", .make = sign_in_sessions12, .anew = true},
#ifdef TBS_TEST_TCTI
    Kind{.name = "esys", .make = esys_sessions, .anew = true},
#endif
};

// More of them say nothing new.
constexpr unsigned kMostFaults = 200;
constexpr std::chrono::milliseconds kPauseAfterFault{20};

std::atomic<bool> stopped = false;
std::atomic<unsigned> faults = 0;
std::atomic<unsigned long> rounds = 0;

void report(std::string_view kind, unsigned number, const char* what) {
  if (faults++ >= kMostFaults) return;
  const std::string line =
      std::string(what) + " (" + std::string(kind) + " " + std::to_string(number) + ")\n";
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
}

// One client, with what it has on the TPM.
class Client {
 public:
  Client(const Kind& kind, const Setting& setting, unsigned number)
      : kind_(kind), setting_(setting), number_(number) {}

  void round() {
    guarded([this] {
      if (!work_) work_ = kind_.make(setting_, number_);
      work_->round();
    });
    ++rounds;
  }
  void finish() {
    guarded([this] {
      if (work_) work_->finish();
    });
  }

 private:
  template <typename Step>
  void guarded(Step step) {
    try {
      step();
    } catch (const std::exception& error) {
      report(kind_.name, number_, error.what());
      if (kind_.anew) work_.reset();
      std::this_thread::sleep_for(kPauseAfterFault);
    }
  }

  const Kind& kind_;
  const Setting& setting_;
  unsigned number_;
  std::unique_ptr<Work> work_;
};

void work(const Kind& kind, const Setting& setting, unsigned number, std::latch& working) {
  Client client(kind, setting, number);
  client.round();
  working.count_down();
  while (!stopped && faults < kMostFaults) client.round();
  client.finish();
}

// "pcr:8". Null when it is none.
const Kind* parse(std::string_view text, unsigned& count) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return nullptr;
  const std::string_view number = text.substr(colon + 1);
  if (std::from_chars(number.data(), number.data() + number.size(), count).ec != std::errc()) {
    return nullptr;
  }
  for (const Kind& kind : kKinds) {
    if (kind.name == text.substr(0, colon)) return &kind;
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  tbs::tpm::silence_marshalling();
  AnswerTimes times;
  const Setting setting{.socket = argv[1], .times = times};
  std::vector<std::pair<const Kind*, unsigned>> clients;
  for (int i = 3; i < argc; ++i) {
    unsigned count = 0;
    const Kind* const kind = parse(argv[i], count);
    if (kind == nullptr) {
      std::fprintf(stderr, "what is %s?\n", argv[i]);
      return 2;
    }
    for (unsigned number = 0; number < count; ++number) clients.emplace_back(kind, number);
  }
  std::latch working(static_cast<std::ptrdiff_t>(clients.size()));
  std::vector<std::jthread> threads;
  threads.reserve(clients.size());
  for (const auto& [kind, number] : clients) {
    threads.emplace_back(
        [&setting, &working, kind, number] { work(*kind, setting, number, working); });
  }
  working.wait();
  std::puts("working");
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  stopped = true;
  threads.clear();
  times.write(argv[2]);
  std::printf("{\"clients\": %zu, \"rounds\": %lu, \"faults\": %u}\n", clients.size(),
              rounds.load(), faults.load());
  return faults == 0 ? 0 : 1;
}
