#pragma once

// A resource manager over time: a TPM that means well and whose resources count what is done to
// them, and clients that know what the counts must be. Housekeeping starts and gives way wherever
// the input says; commands fail after they were carried out, are withdrawn, detached, answered with
// nothing, or lost with the device. Whatever happens, nothing is ever found in an older state than
// it was left in, and at the end nothing is left in the TPM. What the TPM and its clients do, the
// history of each family says.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "daemon/exec/execution.h"
#include "daemon/exec/limits.h"
#include "daemon/exec/observer.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "tests/fuzz/manager_game.h"

namespace tbs::fuzz {

// What becomes of a client's command.
enum class Fate : std::uint8_t {
  Answered,
  Failed,     // carried out, and answered with a failure
  Ended,      // the same, and its session has ended by that
  Detached,   // nobody waits for it any more
  Withdrawn,  // before it was sent
  Garbled,    // carried out, and answered with nothing
  Lost,       // the device is lost before the answer comes
};

// 0 where the bytes end before it.
std::uint32_t word_at(proto::Bytes bytes, std::size_t offset);
std::uint32_t code_of(proto::Bytes message);
proto::Buffer words(std::initializer_list<std::uint32_t> numbers);

class HistoryGame {
 public:
  void play();

 protected:
  static constexpr std::uint64_t kContexts = 3;

  HistoryGame(Family family, proto::Bytes input) : input_(input), family_(family) {}
  ~HistoryGame() = default;

  virtual exec::Engine& engine() = 0;
  // The TPM carries it out; `fate` is that of a client's own command.
  virtual proto::Buffer respond(proto::Bytes command, Fate fate) = 0;
  // Whether nothing is left in the TPM.
  [[nodiscard]] virtual bool empty() const = 0;
  // What the clients do next.
  virtual void turn(std::uint8_t what) = 0;
  // The device is gone: what the TPM and the clients lose by that.
  virtual void lost() {}

  // What the manager is made with. It takes the first byte of the input.
  exec::Options options();
  void bring_up();
  // Withdrawn after so many commands to the TPM; 0: not at all. With Fate::Lost it is the device
  // that is gone then, and with 0 when the TPM has carried out the client's own command; the
  // result is empty.
  std::optional<exec::Done> run(exec::Execution& execution, unsigned steps = 0,
                                Fate fate = Fate::Answered);
  void housekeeping();
  void idle(unsigned steps, Fate fate = Fate::Answered);
  void lose_device();
  // The response; empty when there is none.
  std::optional<proto::Buffer> submit(ContextId context, proto::Buffer command,
                                      Fate fate = Fate::Answered, unsigned steps = 0);
  static bool good(const std::optional<proto::Buffer>& response);

  proto::ByteReader input_;
  // Whatever cannot be loaded any more has gone with the device, and is not loaded.
  struct Watcher final : exec::Observer {
    void tables_differ(std::string_view) override { require(false); }
    void older_state_loaded(std::uint32_t) override { require(false); }
    void lost(UserId, std::uint32_t, std::uint32_t) override { require(false); }
    void session_dropped(UserId, std::uint32_t, std::string_view) override { require(false); }
  };
  Watcher observer_;

 private:
  Family family_;
};

}  // namespace tbs::fuzz
