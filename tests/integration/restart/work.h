#pragma once

// What clients do while the daemon is restarted under them: pieces of work that notice when an
// answer is lost, when a command was carried out twice, and when something else came of it than it
// should.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/include/tbs/tbsx.h"
#include "proto/byte_writer.h"

namespace tbs::test {

// What went wrong: the kind of fault first ("lost", "doubled", "wrong").
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// When answers came, of all clients together, in nanoseconds of CLOCK_MONOTONIC.
class AnswerTimes {
 public:
  void note();
  // One after the other, in order, as numbers of 64 bits of this machine.
  void write(const std::string& path);

 private:
  std::mutex mutex_;
  std::vector<std::int64_t> times_;
};

// A context of libtbs.
class Context {
 public:
  Context(const std::string& socket, bool tpm12, AnswerTimes& times);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The response, whatever its code.
  proto::Buffer exchange(const proto::Buffer& command);
  // The response of a TPM 2.0 to a command that must succeed.
  proto::Buffer run(const proto::Buffer& command);

  // Several at a time. Nothing for one that was cancelled.
  TBSX_REQUEST begin(const proto::Buffer& command);
  std::optional<proto::Buffer> take(TBSX_REQUEST request);
  void cancel();

 private:
  static void check(TBS_RESULT result);

  TBS_HCONTEXT context_ = nullptr;
  AnswerTimes& times_;
};

class Work {
 public:
  virtual ~Work() = default;
  // Some commands, which leave the TPM as they should. Throws a Fault; another round can follow.
  virtual void round() = 0;
  // Removes from the TPM what would stay.
  virtual void finish() {}
};

struct Setting {
  std::string socket;
  AnswerTimes& times;
};

// The `number`-th one of the kind. Each of them has something of its own on the TPM.
std::unique_ptr<Work> count_pcr_extends(const Setting& setting, unsigned number);
std::unique_ptr<Work> count_nv_increments(const Setting& setting, unsigned number);
std::unique_ptr<Work> sign_and_verify(const Setting& setting, unsigned number);
std::unique_ptr<Work> hash_sequences(const Setting& setting, unsigned number);
std::unique_ptr<Work> policy_sessions(const Setting& setting, unsigned number);
// A command now and then.
std::unique_ptr<Work> seldom_a_command(const Setting& setting, unsigned number);
// A context for each round.
std::unique_ptr<Work> come_and_go(const Setting& setting, unsigned number);
std::unique_ptr<Work> queue_updates(const Setting& setting, unsigned number);
std::unique_ptr<Work> cancel_commands(const Setting& setting, unsigned number);
// With sessions of ESYS on the TCTI module: nonces that roll on, and encrypted parameters.
std::unique_ptr<Work> esys_sessions(const Setting& setting, unsigned number);
std::unique_ptr<Work> count_pcr_extends12(const Setting& setting, unsigned number);
std::unique_ptr<Work> sign_in_sessions12(const Setting& setting, unsigned number);

// What random numbers of its own a piece of work needs.
proto::Buffer random_bytes(std::size_t count);

}  // namespace tbs::test
