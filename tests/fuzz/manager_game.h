#pragma once

// Plays both sides of a resource manager: clients whose commands are half sense and half noise, and
// a TPM that answers with whatever the input says, from plausible successes over every warning to
// bytes that are no response. Whatever happens, every execution ends within a bound, and what
// belongs to closed contexts does not stay in the tables. What commands and responses look like,
// the game of each family says.

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/exec/execution.h"
#include "daemon/exec/limits.h"
#include "daemon/exec/observer.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::fuzz {

void require(bool condition);

proto::Buffer message(std::uint16_t tag, std::uint32_t code, proto::Bytes body);

class ManagerGame {
 public:
  void play();

 protected:
  // `most_steps`: no execution may take more.
  ManagerGame(Family family, proto::Bytes input, int most_steps)
      : input_(input), family_(family), most_steps_(most_steps) {}
  ~ManagerGame() = default;

  virtual exec::Engine& engine() = 0;
  // A command of a client's, about right.
  virtual proto::Buffer some_command() = 0;
  // The response of a TPM that has just been started and means well.
  virtual proto::Buffer honest(proto::Bytes command) = 0;
  // Whatever the input says.
  virtual proto::Buffer respond(proto::Bytes command) = 0;
  // A success of a client's command, from which it may want to send something back later.
  virtual void keep(std::uint32_t command_code, proto::Bytes response) = 0;
  // All contexts have closed, and the manager has wound down.
  virtual void check_empty() = 0;
  // What else happens in this turn; takes nothing from the input.
  virtual void turn(std::uint8_t kind) { static_cast<void>(kind); }

  // What the manager is made with. It takes the first byte of the input.
  exec::Options options();
  void bring_up();
  proto::Buffer noise();

  proto::ByteReader input_;
  // What is loaded is always the newest state.
  struct Watcher final : exec::Observer {
    void older_state_loaded(std::uint32_t handle) override {
      static_cast<void>(handle);
      require(false);
    }
  };

  Watcher observer_;
  std::vector<ContextId> open_;
  std::uint64_t contexts_ = 0;

 private:
  void open();
  void close();
  void command();
  // Gives way after this many steps; 0: when it is done.
  void idle(unsigned steps);
  void maintain();
  void lose();
  void finish();
  // Empty when the device went away in between.
  // `steps`: withdrawn after so many; 0: only when the input says so.
  std::optional<exec::Done> run(exec::Execution& execution, unsigned steps = 0);

  TimePoint now_;
  Family family_;
  int most_steps_;
};

}  // namespace tbs::fuzz
