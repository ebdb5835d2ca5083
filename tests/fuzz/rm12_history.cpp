// The game of history_game.h with the TPM 1.2 resource manager, on the TPM of counting_tpm12.h. No
// session may end because its key has made room.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "proto/byte_writer.h"
#include "proto/tpm12/commands.h"
#include "tests/fuzz/counting_tpm12.h"
#include "tests/fuzz/history_game.h"
#include "tests/support/restarting_manager.h"

namespace {

using namespace tbs;
using fuzz::code_of;
using fuzz::Fate;
using fuzz::message;
using fuzz::require;
using fuzz::word_at;
using fuzz::words;
using proto::Buffer;
using proto::Bytes;
using proto::ByteWriter;
using tpm12::Kind;
namespace ord = tpm12::ord;
namespace rc = tpm12::rc;

class History final : public fuzz::HistoryGame {
 public:
  explicit History(Bytes input)
      : HistoryGame(Family::Tpm12, input), manager_(options(), observer_) {}

 private:
  static constexpr std::size_t kMostKeys = 5;
  static constexpr std::size_t kMostSessions = 6;
  // What a client knows of a key or session.
  struct Known {
    ContextId context{};
    std::uint32_t handle = 0;
    std::uint32_t count = 0;
    std::uint32_t key = 0;  // the handle of the session's; 0: none
  };

  exec::Engine& engine() override { return manager_; }
  Buffer respond(Bytes command, Fate fate) override { return tpm_.run(command, fate); }
  [[nodiscard]] bool empty() const override { return tpm_.empty(); }

  // Those before the loss of the device.
  Fate some_fate() { return static_cast<Fate>(input_.u8() % static_cast<unsigned>(Fate::Lost)); }

  void turn(std::uint8_t what) override {
    const unsigned number = what >> 3;
    const ContextId context{number % kContexts + 1};
    switch (what % 8) {
      case 0:
        return load_key(context);
      case 1:
        return open_session(context, number);
      case 2:
        return (number & 1) != 0 ? flush_key(number / 2) : flush_session(number / 2);
      case 3:
        return (number & 1) != 0 ? save_and_load_key(number / 2) : save_and_load(number / 2);
      case 4:
        return idle(number % 8);
      case 5:
        return use(number, some_fate());
      case 6:
        return change(number, some_fate());
      default:
        return use(number, Fate::Answered);
    }
  }

  static Buffer plain(std::uint32_t ordinal, Bytes body) {
    return message(tpm12::kTagCommand, ordinal, body);
  }

  static Known* pick(std::vector<Known>& all, unsigned number) {
    return all.empty() ? nullptr : &all[number % all.size()];
  }

  // The handle with which the response begins.
  std::uint32_t made(ContextId context, Buffer command) {
    const auto response = submit(context, std::move(command));
    require(good(response));
    return word_at(*response, tpm12::kHeaderSize);
  }

  void load_key(ContextId context) {
    if (keys_.size() == kMostKeys) return;
    const auto handle = made(context, plain(ord::kLoadKey2, words({tpm12::kReservedSrk})));
    keys_.push_back({.context = context, .handle = handle});
  }

  void open_session(ContextId context, unsigned number) {
    if (sessions_.size() == kMostSessions) return;
    const Known* const key = (number & 4) != 0 ? pick(keys_, number) : nullptr;
    if (key == nullptr) {
      sessions_.push_back({.context = context, .handle = made(context, plain(ord::kOiap, {}))});
      return;
    }
    Buffer body;
    ByteWriter writer(body);
    writer.be16(tpm12::entity::kKeyHandle);
    writer.be32(key->handle);
    writer.bytes(Buffer(tpm12::kDigestSize));
    const std::uint32_t handle = made(key->context, plain(ord::kOsap, body));
    sessions_.push_back({.context = key->context, .handle = handle, .key = key->handle});
  }

  // As an answer to the flush of a key its sessions are gone.
  void flush_key(unsigned number) {
    const Known* const key = pick(keys_, number);
    if (key == nullptr) return;
    require(good(submit(key->context, tpm12::build::flush_specific(
                                          key->handle, static_cast<std::uint32_t>(Kind::Key)))));
    std::erase_if(sessions_, [key](const Known& session) {
      return session.context == key->context && session.key == key->handle;
    });
    keys_.erase(keys_.begin() + (key - keys_.data()));
  }

  void flush_session(unsigned number) {
    const Known* const session = pick(sessions_, number);
    if (session == nullptr) return;
    require(good(submit(
        session->context,
        tpm12::build::flush_specific(session->handle, static_cast<std::uint32_t>(Kind::Auth)))));
    sessions_.erase(sessions_.begin() + (session - sessions_.data()));
  }

  // The context blob of the client's own TPM_SaveContext.
  Buffer saved(const Known& known, Kind kind) {
    const auto response = submit(known.context, tpm12::build::save_context(kind, known.handle));
    require(good(response));
    return {response->begin() + tpm12::kHeaderSize + 4, response->end()};
  }

  void save_and_load(unsigned number) {
    Known* const session = pick(sessions_, number);
    if (session == nullptr) return;
    const Buffer blob = saved(*session, Kind::Auth);
    idle(number);
    session->handle = made(session->context, tpm12::build::load_context(session->key, blob));
  }

  void save_and_load_key(unsigned number) {
    const Known* const key = pick(keys_, number);
    if (key == nullptr || keys_.size() == kMostKeys) return;
    const Known from = *key;
    const Buffer blob = saved(from, Kind::Key);
    const ContextId other{number % kContexts + 1};
    const std::uint32_t handle = made(other, tpm12::build::load_context(0, blob));
    keys_.push_back({.context = other, .handle = handle, .count = from.count});
  }

  Known* key_for(const Known& session) {
    for (Known& key : keys_) {
      const bool fits = session.key == 0 || session.key == key.handle;
      if (key.context == session.context && fits) return &key;
    }
    return nullptr;
  }

  void use(unsigned number, Fate fate) {
    Known* const session = pick(sessions_, number);
    if (session == nullptr) return;
    const Known* const key = key_for(*session);
    Buffer body = words({key == nullptr ? tpm12::kReservedSrk : key->handle, session->handle});
    body.resize(tpm12::kHandleSize + tpm12::kCommandAuthSize);
    const auto response =
        submit(session->context, message(tpm12::kTagAuth1Command, ord::kSign, body), fate);
    if (fate == Fate::Withdrawn) return require(!response);
    ++session->count;
    if (fate == Fate::Garbled) return require(!response);
    if (fate == Fate::Failed || fate == Fate::Ended) {
      require(response && code_of(*response) == rc::kAuthFail);
      if (fate == Fate::Ended) sessions_.erase(sessions_.begin() + (session - sessions_.data()));
      return;
    }
    require(good(response) && word_at(*response, tpm12::kHeaderSize) == session->count);
    require(key == nullptr || word_at(*response, tpm12::kHeaderSize + 4) == key->count);
  }

  // Changes the key itself.
  void change(unsigned number, Fate fate) {
    Known* const key = pick(keys_, number);
    if (key == nullptr || fate == Fate::Ended) return;
    const auto response =
        submit(key->context, plain(ord::kKeyControlOwner, words({key->handle, 2, 0})), fate);
    if (fate == Fate::Withdrawn) return require(!response);
    ++key->count;
    if (fate == Fate::Failed) return;
    if (fate == Fate::Garbled) return require(!response);
    require(good(response) && word_at(*response, tpm12::kHeaderSize) == key->count);
  }

  fuzz::CountingTpm12 tpm_;
  test::RestartingRm12 manager_;
  std::vector<Known> keys_;
  std::vector<Known> sessions_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  test::choose_restarts(Bytes(data, size));
  History(Bytes(data, size)).play();
  return 0;
}
