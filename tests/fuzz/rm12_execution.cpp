// The game of manager_game.h with the TPM 1.2 resource manager.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "daemon/tpm12/capability.h"
#include "daemon/tpm12/response.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm12/ordinal_table.h"
#include "tests/fuzz/manager_game.h"
#include "tests/support/restarting_manager.h"
#include "tests/support/virtual_handles12.h"

namespace {

using namespace tbs;
using fuzz::message;
using fuzz::require;
using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;
using tpm12::Kind;
namespace ord = tpm12::ord;
namespace rc = tpm12::rc;

constexpr std::array<std::uint32_t, 32> kOrdinals = {ord::kOiap,
                                                     ord::kOsap,
                                                     ord::kDsap,
                                                     ord::kLoadKey,
                                                     ord::kLoadKey2,
                                                     ord::kSign,
                                                     ord::kSeal,
                                                     ord::kUnseal,
                                                     ord::kCertifyKey,
                                                     ord::kEvictKey,
                                                     ord::kKeyControlOwner,
                                                     ord::kDaaJoin,
                                                     ord::kDaaSign,
                                                     ord::kGetCapability,
                                                     ord::kGetRandom,
                                                     ord::kReset,
                                                     ord::kOwnerClear,
                                                     ord::kStartup,
                                                     ord::kTerminateHandle,
                                                     ord::kSaveKeyContext,
                                                     ord::kLoadKeyContext,
                                                     ord::kSaveAuthContext,
                                                     ord::kLoadAuthContext,
                                                     ord::kSaveContext,
                                                     ord::kLoadContext,
                                                     ord::kFlushSpecific,
                                                     ord::kEstablishTransport,
                                                     ord::kExecuteTransport,
                                                     ord::kReleaseTransportSigned,
                                                     ord::kChangeAuthAsymStart,
                                                     ord::kVendorBit | 1,
                                                     0x123};  // none of the specification

constexpr std::array<std::uint32_t, 16> kHandles = {test::kFirstKey,
                                                    test::kFirstKey + 1,
                                                    test::kFirstKey + 2,
                                                    test::kFirstKey + 3,
                                                    test::kFirstAuth,
                                                    test::kFirstAuth + 1,
                                                    test::kFirstAuth + 2,
                                                    test::kFirstAuth + 3,
                                                    test::kFirstTransport,
                                                    test::kFirstTransport + 1,
                                                    test::kFirstDaa,
                                                    tpm12::kReservedSrk,
                                                    tpm12::kReservedTransport,
                                                    1,
                                                    2,
                                                    3};

constexpr std::array<std::uint32_t, 24> kCodes = {
    rc::kAuthFail,          rc::kBadParameter,    rc::kDisabledCommand,
    rc::kInvalidKeyHandle,  rc::kNoSpace,         rc::kNoSrk,
    rc::kResources,         rc::kBadParamSize,    rc::kBadTag,
    rc::kInvalidAuthHandle, rc::kInvalidPostInit, rc::kInvalidResource,
    rc::kKeyOwnerControl,   rc::kContextGap,      rc::kResourceMissing,
    rc::kOwnerControl,      rc::kBadHandle,       rc::kBadContext,
    rc::kTooManyContexts,   rc::kNoContextSpace,  rc::kRetry,
    rc::kNeedsSelfTest,     rc::kDoingSelfTest,   rc::kDefendLockRunning};

constexpr std::array<std::uint32_t, 6> kTypes = {static_cast<std::uint32_t>(Kind::Key),
                                                 static_cast<std::uint32_t>(Kind::Auth),
                                                 static_cast<std::uint32_t>(Kind::Transport),
                                                 static_cast<std::uint32_t>(Kind::Daa),
                                                 tpm12::kResourceContext,
                                                 7};

std::uint32_t ordinal_of(Bytes command) {
  ByteReader reader(command);
  reader.skip(6);
  return reader.be32();
}

class Game final : public fuzz::ManagerGame {
 public:
  explicit Game(Bytes input)
      : ManagerGame(Family::Tpm12, input, 6000), manager_(options(), observer_) {
    bring_up();
  }

 private:
  // --- the TPM ---

  exec::Engine& engine() override { return manager_; }

  Buffer honest(Bytes command) override {
    if (ordinal_of(command) != ord::kGetCapability) return tpm12::bare_response(rc::kSuccess);
    const auto query = tpm12::parse_capability_query(command.subspan(tpm12::kHeaderSize));
    require(query && query->sub);
    if (query->area == tpm12::cap::kHandle) return tpm12::handle_list({});
    return tpm12::capability_word(*query->sub == tpm12::prop::kContextDistance ? 0xFF : 2);
  }

  std::uint32_t some_handle() { return kHandles[input_.u8() % kHandles.size()]; }
  std::uint32_t some_type() { return kTypes[input_.u8() % kTypes.size()]; }

  Buffer context_blob(std::uint32_t type) {
    Buffer blob;
    ByteWriter writer(blob);
    writer.be16(1);
    writer.be32(type);
    writer.be32(some_handle());
    writer.bytes(Buffer(16));
    writer.be32(input_.u8());
    writer.bytes(Buffer(tpm12::kDigestSize));
    return blob;
  }

  static Buffer sized(Bytes bytes) {
    Buffer out;
    ByteWriter writer(out);
    writer.be32(static_cast<std::uint32_t>(bytes.size()));
    writer.bytes(bytes);
    return out;
  }

  Buffer capability_reply(Bytes command) {
    if ((input_.u8() & 3) == 0) return honest(command);
    std::array<std::uint32_t, 4> handles{};
    for (std::uint32_t& handle : handles) handle = some_handle();
    return tpm12::handle_list(std::span(handles).first(input_.u8() % 5));
  }

  // The response to the inner command of TPM_ExecuteTransport, about right.
  Buffer transported() {
    Buffer inner;
    ByteWriter(inner).be32(some_handle());
    inner =
        message(tpm12::kTagResponse, input_.u8() % 4 == 0 ? rc::kAuthFail : rc::kSuccess, inner);
    Buffer body(12);
    ByteWriter writer(body);
    writer.bytes(sized(inner));
    return body;
  }

  // A success of about the right shape.
  Buffer plausible(Bytes command) {
    const std::uint32_t ordinal = ordinal_of(command);
    Buffer body;
    ByteWriter writer(body);
    switch (ordinal) {
      case ord::kGetCapability:
        return capability_reply(command);
      case ord::kSaveContext:
        body = sized(context_blob(ByteReader(command.subspan(14)).be32()));
        break;
      case ord::kSaveKeyContext:
      case ord::kSaveAuthContext:
        body = sized(context_blob(static_cast<std::uint32_t>(Kind::Auth)));
        break;
      case ord::kExecuteTransport:
        body = transported();
        break;
      case ord::kDaaJoin:
        writer.be32(4);
        writer.be32(some_handle());
        break;
      default:
        writer.be32(some_handle());
    }
    const std::size_t auths =
        command.size() > 1 ? (ByteReader(command).be16() - std::uint32_t{tpm12::kTagCommand}) % 3
                           : 0;
    for (std::size_t i = 0; i < auths; ++i) {
      body.resize(body.size() + tpm12::kDigestSize);
      body.push_back(input_.u8() & 1);
      body.resize(body.size() + tpm12::kDigestSize);
    }
    return message(static_cast<std::uint16_t>(tpm12::kTagResponse + auths), rc::kSuccess, body);
  }

  Buffer respond(Bytes command) override {
    const std::uint8_t choice = input_.u8();
    if (choice < 160 || !input_.ok()) return plausible(command);
    if (choice < 240) return tpm12::bare_response(kCodes[choice % kCodes.size()]);
    if (choice < 250) return message(tpm12::kTagResponse, rc::kSuccess, noise());
    return noise();
  }

  // --- the clients ---

  Buffer some_blob() {
    if (blobs_.empty() || (input_.u8() & 1) == 0) return context_blob(some_type());
    return blobs_[input_.u8() % blobs_.size()];
  }

  Buffer some_parameters(std::uint32_t ordinal, bool wrapped) {
    Buffer body;
    ByteWriter writer(body);
    switch (ordinal) {
      case ord::kOsap:
      case ord::kDsap:
        writer.be16(input_.u8() % 12);
        writer.be32(some_handle());
        writer.bytes(Buffer(tpm12::kDigestSize));
        break;
      case ord::kSaveContext:
        writer.be32(some_handle());
        writer.be32(some_type());
        writer.bytes(Buffer(16));
        break;
      case ord::kLoadContext:
        writer.be32(some_handle());
        writer.u8(input_.u8() & 1);
        writer.bytes(sized(some_blob()));
        break;
      case ord::kLoadKeyContext:
      case ord::kLoadAuthContext:
        writer.bytes(sized(some_blob()));
        break;
      case ord::kFlushSpecific:
        writer.be32((input_.u8() & 1) != 0 ? some_handle() : input_.u8());
        writer.be32(some_type());
        break;
      case ord::kTerminateHandle:
      case ord::kSaveAuthContext:
        writer.be32(some_handle());
        break;
      case ord::kDaaJoin:
      case ord::kDaaSign:
        writer.be32(some_handle());
        writer.u8(input_.u8() & 1);
        break;
      case ord::kKeyControlOwner:
        writer.be32(1);
        writer.u8(input_.u8() & 1);
        break;
      case ord::kGetCapability:
        writer.be32(input_.u8() % 0x16);
        writer.be32(4);
        writer.be32((input_.u8() & 1) != 0 ? some_handle() : 0x100U + input_.u8() % 0x20);
        break;
      case ord::kExecuteTransport:
        if (!wrapped) writer.bytes(sized(command(true)));
        break;
      default:
        if ((input_.u8() & 3) == 0) writer.bytes(noise());
    }
    return body;
  }

  Buffer some_command() override { return command(false); }

  Buffer command(bool wrapped) {
    const std::uint32_t ordinal = kOrdinals[input_.u8() % kOrdinals.size()];
    const auto* const info = tpm12::find_ordinal(ordinal);
    Buffer body;
    ByteWriter writer(body);
    for (int i = 0; info != nullptr && i < info->keys; ++i) writer.be32(some_handle());
    writer.bytes(some_parameters(ordinal, wrapped));
    const std::size_t auths = info == nullptr ? 0 : input_.u8() % (info->max_auths + 1U);
    for (std::size_t i = 0; i < auths; ++i) {
      writer.be32(some_handle());
      writer.bytes(Buffer(tpm12::kCommandAuthSize - tpm12::kHandleSize));
    }
    return message(static_cast<std::uint16_t>(tpm12::kTagCommand + auths), ordinal, body);
  }

  void keep(std::uint32_t ordinal, Bytes response) override {
    const bool saves = ordinal == ord::kSaveContext || ordinal == ord::kSaveAuthContext;
    if (!saves || response.size() <= tpm12::kHeaderSize + 4) return;
    blobs_.emplace_back(response.begin() + tpm12::kHeaderSize + 4, response.end());
  }

  void check_empty() override {
    require(manager_.state().table.all().empty());
    require(manager_.state().active_executions == 0);
  }

  test::RestartingRm12 manager_;
  std::vector<Buffer> blobs_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Game(Bytes(data, size)).play();
  return 0;
  test::choose_restarts(Bytes(data, size));
}
