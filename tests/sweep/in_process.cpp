#include "tests/sweep/in_process.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <sstream>
#include <string_view>

#include <signal.h>
#include <unistd.h>

#include "tests/sweep/failing_calls.h"

namespace {

// Of this thread: the library has no other.
thread_local int allocations_until_failure = 0;
thread_local bool in_step = false;
thread_local int steps = 0;
thread_local int failed_step = 0;
std::atomic<long> living = 0;

void* allocate(std::size_t size) {
  if (in_step && allocations_until_failure > 0) {
    --allocations_until_failure;
    if (allocations_until_failure == 0) {
      failed_step = steps;
      throw std::bad_alloc();
    }
  }
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++living;
  return memory;
}

void give_back(void* memory) {
  if (memory != nullptr) --living;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete[](void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  give_back(memory);
}

namespace tbs::sweep {
namespace {

constexpr unsigned kDeadline = 120;  // against hanging only
constexpr int kForever = 1 << 30;

SweepState state{};
char running[128];  // what fails, for whoever finds the program hanging

void hangs(int /*signal*/) {
  constexpr char kText[] = "hangs: ";
  static_cast<void>(!::write(STDERR_FILENO, kText, sizeof kText - 1));
  static_cast<void>(!::write(STDERR_FILENO, running, std::strlen(running)));
  static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
  std::_Exit(1);
}

std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

int number_of(const std::string& fault) {
  if (fault == "short") return kSweepShort;
  if (fault == "end") return kSweepEnd;
  for (int number = 1; number < 256; ++number) {
    const char* const name = ::strerrorname_np(number);
    if (name != nullptr && fault == name) return number;
  }
  return 0;
}

using Table = std::map<std::string, std::vector<std::string>>;

Table read_table(const char* path) {
  Table table;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string function;
    words >> function;
    table[function] = {std::istream_iterator<std::string>(words), {}};
  }
  return table;
}

// Others are over when they are tried again, as what poll(2) lacks for a moment; EAGAIN of
// connect(2) is waited for.
bool lasts(std::string_view function, std::string_view fault) {
  return function != "poll" && fault != "EINTR" && fault != "EAGAIN" && fault != "short";
}

class Sweeper {
 public:
  explicit Sweeper(const Session& session) : session_(session) {
    ::setvbuf(stdout, nullptr, _IOLBF, 0);
    ::signal(SIGALRM, hangs);
    sweep_use(&state);
    usual_ = run();
    run();  // what is made once is there now
    note_descriptors();
  }

  void calls(const Table& table) {
    std::memset(&state, 0, sizeof state);
    run();
    std::vector<SweepCount> counts;
    for (const SweepCount& count : state.counts) {
      if (count.calls > 0) counts.push_back(count);
    }
    living_ = living;
    for (const SweepCount& count : counts) {
      const auto faults = table.find(count.function);
      if (faults == table.end()) {
        wrong(std::string("faults.txt does not say how ") + count.function + " fails");
        continue;
      }
      for (int number = 1; number <= count.calls; ++number) {
        for (const std::string& fault : faults->second) call(count.function, number, fault);
      }
    }
  }

  void allocations() {
    living_ = living;
    for (int number = 1;; ++number) {
      std::snprintf(running, sizeof running, "allocation %d", number);
      steps = 0;
      failed_step = 0;
      allocations_until_failure = number;
      const std::vector<Step> outcome = run();
      const bool over = allocations_until_failure > 0;
      allocations_until_failure = 0;
      if (over) return;
      ++done_;
      judge(outcome, [&](std::size_t step) {
        return static_cast<int>(step) + 1 != failed_step ||
               session_.is_out_of_memory(outcome[step].code);
      });
    }
  }

  [[nodiscard]] int result(const char* what) {
    std::printf("%s: %d faults, %d were wrong\n", what, done_, wrong_);
    const bool good = done_ > 0 && wrong_ == 0;
    done_ = 0;
    return good ? 0 : 1;
  }

 private:
  void note_descriptors() { descriptors_ = descriptors(); }

  std::vector<Step> run() {
    ::alarm(kDeadline);
    auto outcome = session_.run();
    ::alarm(0);
    return outcome;
  }

  void call(const char* function, int number, const std::string& fault) {
    std::snprintf(running, sizeof running, "%s/%d/%s", function, number, fault.c_str());
    for (const int times : {1, kForever}) {
      if (times != 1 && (number != 1 || !lasts(function, fault))) continue;
      state.number = number;
      state.times = times;
      state.fault = number_of(fault);
      std::strcpy(state.function, function);
      const std::vector<Step> outcome = run();
      state.function[0] = 0;
      ++done_;
      judge(outcome, [](std::size_t) { return true; });
    }
  }

  // After the fault: each function has said what it should, nothing is left over, and all is well.
  void judge(const std::vector<Step>& outcome, const std::function<bool(std::size_t)>& fits) {
    for (std::size_t step = 0; step < outcome.size(); ++step) {
      if (outcome[step].code == usual_[step].code) continue;
      if (session_.may_fail_so(outcome[step]) && fits(step)) continue;
      wrong(std::string(outcome[step].name) + " returns " + session_.name_of(outcome[step].code));
    }
    const std::vector<Step> after = run();
    for (std::size_t step = 0; step < after.size(); ++step) {
      if (after[step].code == usual_[step].code) continue;
      wrong(std::string("afterwards ") + after[step].name + " returns " +
            session_.name_of(after[step].code));
    }
    if (const std::size_t left = descriptors(); left != descriptors_) {
      wrong(std::to_string(left) + " descriptors, not " + std::to_string(descriptors_));
      descriptors_ = left;
    }
    constexpr long kOfOutcomes = 2;
    if (const long left = living - kOfOutcomes; left > living_) {
      wrong(std::to_string(left - living_) + " allocations are left");
      living_ = left;
    }
  }

  void wrong(const std::string& what) {
    ++wrong_;
    std::printf("%s: %s\n", running, what.c_str());
  }

  const Session& session_;
  std::vector<Step> usual_;
  std::size_t descriptors_ = 0;
  long living_ = 0;
  int done_ = 0;
  int wrong_ = 0;
};

}  // namespace

void begin_step() {
  ++steps;
  in_step = true;
}

void end_step() {
  in_step = false;
}

int sweep(int count, char** values, const Session& session) {
  if (count != 2) return 2;
  Sweeper sweeper(session);
  sweeper.calls(read_table(values[1]));
  const int calls = sweeper.result("calls");
  sweeper.allocations();
  const int allocations = sweeper.result("allocations");
  return calls | allocations;
}

}  // namespace tbs::sweep
