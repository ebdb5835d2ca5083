// A library in this process, every call and every allocation of which fails in turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tbs::sweep {

// One call of the library's: what it returned, in short what it has to say.
struct Step {
  const char* name;
  std::uint32_t code;
};

struct Session {
  // Every function once, the last of which gives everything back. It goes on after a failure.
  std::function<std::vector<Step>()> run;
  // Whether a function may return this when a call fails that it needs.
  std::function<bool(const Step&)> may_fail_so;
  // Whether it returns this for want of memory.
  std::function<bool(std::uint32_t)> is_out_of_memory;
  std::function<std::string(std::uint32_t)> name_of;
};

// Around each function of the library: only there an allocation fails.
void begin_step();
void end_step();

// The steps of a session. Room for all of them is made at once.
class Steps {
 public:
  Steps() { all_.reserve(32); }
  template <typename Function>
  std::uint32_t operator()(const char* name, Function function) {
    begin_step();
    const auto code = static_cast<std::uint32_t>(function());
    end_step();
    all_.push_back({.name = name, .code = code});
    return code;
  }
  std::vector<Step> all() { return std::move(all_); }

 private:
  std::vector<Step> all_;
};

// 0 when all was well; what was wrong is printed. The first argument is faults.txt.
int sweep(int count, char** values, const Session& session);

}  // namespace tbs::sweep
