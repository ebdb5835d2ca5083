// The game of history_game.h with the TPM 2.0 resource manager, on the TPM of counting_tpm20.h. The
// device may be lost, with what the TPM has in memory or without: then an object is either as it
// was left, or unknown.

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "proto/byte_writer.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/fuzz/counting_tpm20.h"
#include "tests/fuzz/history_game.h"
#include "tests/support/restarting_manager.h"

namespace {

using namespace tbs;
using fuzz::code_of;
using fuzz::Fate;
using fuzz::require;
using fuzz::word_at;
using proto::Buffer;
using proto::Bytes;

class History final : public fuzz::HistoryGame {
 public:
  explicit History(Bytes input)
      : HistoryGame(Family::Tpm20, input), manager_(options(), observer_) {}

 private:
  static constexpr std::size_t kMostObjects = 6;
  // What a client knows of an object.
  struct Known {
    ContextId context{};
    std::uint32_t handle = 0;
    std::uint32_t count = 0;
    bool may_be_lost = false;
  };

  exec::Engine& engine() override { return manager_; }
  Buffer respond(Bytes command, Fate fate) override { return tpm_.run(command, fate); }
  [[nodiscard]] bool empty() const override { return tpm_.empty(); }

  void lost() override {
    switch (input_.u8() % 3) {
      case 0:
        break;  // the TPM keeps its memory
      case 1:
        tpm_.restart();
        break;
      default:
        tpm_.reset();
    }
    for (Known& known : known_) known.may_be_lost = true;
  }

  void turn(std::uint8_t what) override {
    const unsigned number = what >> 3;
    switch (what % 8) {
      case 0:
        return create(ContextId{number % kContexts + 1});
      case 1:
        return complete(number);
      case 2:
        return save_and_load(number);
      case 3:
        return idle(number % 8);
      case 4:
        return idle(number % 8, number >= 24 ? Fate::Lost : Fate::Answered);
      case 5:
        return update(number, some_fate());
      default:
        return update(number, Fate::Answered);
    }
  }

  Fate some_fate() {
    constexpr std::array kFates = {Fate::Answered, Fate::Failed, Fate::Detached, Fate::Withdrawn};
    const std::uint8_t choice = input_.u8();
    return choice < 0xC0 ? kFates[choice % kFates.size()] : Fate::Lost;
  }

  Known* pick(unsigned number) {
    return known_.empty() ? nullptr : &known_[number % known_.size()];
  }

  void forget(const Known& known) { known_.erase(known_.begin() + (&known - known_.data())); }

  // A handle comes again when what had it is lost, though its client has not noticed.
  void remember(const Known& made) {
    std::erase_if(known_, [&made](const Known& old) {
      const bool same = old.context == made.context && old.handle == made.handle;
      require(!same || old.may_be_lost);
      return same;
    });
    known_.push_back(made);
  }

  // Whether the object has turned out to be lost; if so it is forgotten.
  bool gone(const Known& known, const std::optional<Buffer>& response) {
    constexpr std::uint32_t kUnknown =
        tpm::by_resource_manager(tpm::at_handle(tpm::rc::kHandle, 1));
    if (!response || code_of(*response) != kUnknown) return false;
    require(known.may_be_lost);
    forget(known);
    return true;
  }

  void create(ContextId context) {
    if (known_.size() == kMostObjects) return;
    const auto response = submit(
        context,
        tpm::CommandBuilder(tpm::cc::kHashSequenceStart).u16(0).u16(TPM2_ALG_SHA256).finish());
    require(good(response));
    remember({.context = context, .handle = word_at(*response, tpm::kHeaderSize)});
  }

  // Without authorization, which the TPM of this game does not want.
  static Buffer about(std::uint32_t code, std::uint32_t handle) {
    return tpm::CommandBuilder(code).handle(handle).finish();
  }

  void update(unsigned number, Fate fate) {
    Known* const known = pick(number);
    if (known == nullptr) return;
    const std::uint32_t updates = tpm_.updates();
    const unsigned steps = fate == Fate::Lost ? input_.u8() % 4 : 0;
    const auto response =
        submit(known->context, about(tpm::cc::kSequenceUpdate, known->handle), fate, steps);
    const std::uint32_t carried_out = tpm_.updates() - updates;
    if (gone(*known, response)) return require(carried_out == 0);
    known->count += carried_out;
    if (!response) {
      return require(fate == Fate::Lost || (fate == Fate::Withdrawn && carried_out == 0));
    }
    require(carried_out == 1);
    if (fate == Fate::Failed) {
      return require(code_of(*response) == tpm::at_session(tpm::rc::kAuthFail, 1));
    }
    require(good(response) && word_at(*response, tpm::kHeaderSize) == known->count);
    known->may_be_lost = false;
  }

  void complete(unsigned number) {
    const Known* const known = pick(number);
    if (known == nullptr) return;
    const auto response = submit(known->context, about(tpm::cc::kSequenceComplete, known->handle));
    if (gone(*known, response)) return;
    require(good(response) && word_at(*response, tpm::kHeaderSize) == known->count);
    forget(*known);
  }

  // The client's own ContextSave, and ContextLoad of it in another context.
  void save_and_load(unsigned number) {
    const Known* const known = pick(number);
    if (known == nullptr || known_.size() == kMostObjects) return;
    const auto saved = submit(known->context, tpm::build::context_save(known->handle));
    if (gone(*known, saved)) return;
    require(good(saved));
    const std::uint32_t count = known->count;
    const ContextId other{number % kContexts + 1};
    const Bytes blob = Bytes(*saved).subspan(tpm::kHeaderSize);
    const auto loaded = submit(other, tpm::build::context_load(blob));
    require(good(loaded));
    remember({.context = other, .handle = word_at(*loaded, tpm::kHeaderSize), .count = count});
  }

  fuzz::CountingTpm20 tpm_;
  test::RestartingRm manager_;
  std::vector<Known> known_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  test::choose_restarts(Bytes(data, size));
  History(Bytes(data, size)).play();
  return 0;
}
