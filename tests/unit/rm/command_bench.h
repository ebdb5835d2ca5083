#pragma once

// One client command before the parts of its execution: tables, the command's bytes, and what the
// resource manager tells an administrator meanwhile.

#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "daemon/rm/command_decision.h"
#include "daemon/rm/command_repair.h"
#include "daemon/rm/command_results.h"
#include "daemon/rm/command_run.h"
#include "daemon/rm/context_commands.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/command_attributes.h"
#include "tests/support/observer_notes.h"

namespace tbs::rm::test {

using tbs::test::kAlice;
using tbs::test::kBob;
using tbs::test::Notes;

inline constexpr ContextId kContext{1};
inline constexpr ContextId kOther{2};
inline constexpr ContextId kStranger{3};

inline constexpr std::uint32_t kVendor = tpm::cc::kVendorBit | 1;

class CommandBench {
 public:
  CommandBench() {
    open(kContext, kAlice);
    open(kOther, kAlice);
    open(kStranger, kBob);
    using tbs::test::handles;
    state.commands.load(std::vector<std::uint32_t>{
        tpm::cc::kHierarchyControl | handles(1) | TPMA_CC_EXTENSIVE,
        tpm::cc::kClear | handles(1) | TPMA_CC_EXTENSIVE,
        tpm::cc::kCreatePrimary | handles(1) | TPMA_CC_RHANDLE,
        tpm::cc::kSequenceComplete | handles(1) | TPMA_CC_FLUSHED, tpm::cc::kStartup,
        tpm::cc::kSequenceUpdate | handles(1), tpm::cc::kContextLoad | TPMA_CC_RHANDLE,
        tpm::cc::kContextSave | handles(1), tpm::cc::kFlushContext,
        tpm::cc::kReadPublic | handles(1),
        tpm::cc::kStartAuthSession | handles(2) | TPMA_CC_RHANDLE, tpm::cc::kGetCapability,
        tpm::cc::kHashSequenceStart | TPMA_CC_RHANDLE, kVendor | handles(1) | TPMA_CC_RHANDLE});
  }

  Object& object(std::uint32_t physical, ContextId owner = kContext, bool sequence = false) {
    Object& made = state.objects.add(owner, exec::PhysicalHandle{physical}, sequence);
    made.last_used = state.next_use();
    return made;
  }
  Session& session(std::uint32_t handle, ContextId owner = kContext) {
    Session& made =
        state.sessions.add(exec::PhysicalHandle{handle}, owner, state.contexts.at(owner));
    made.last_used = state.next_use();
    return made;
  }
  // Saved by its client with this blob, whose sequence number is 1.
  Session& saved_session(std::uint32_t handle, const proto::Buffer& blob,
                         ContextId owner = kContext) {
    Session& made = session(handle, owner);
    state.sessions.set_saved(made, blob, 1, state.facts.context_gap);
    made.client_blob = blob;
    return made;
  }

  // A TPMS_CONTEXT.
  static proto::Buffer blob(std::uint32_t handle, std::uint32_t hierarchy = tpm::kRhNull) {
    proto::Buffer bytes;
    proto::ByteWriter writer(bytes);
    writer.be64(1);
    writer.be32(handle);
    writer.be32(hierarchy);
    writer.be16(2);
    writer.be16(0xABCD);
    return bytes;
  }
  static proto::Buffer words(std::initializer_list<std::uint32_t> numbers) {
    proto::Buffer bytes;
    proto::ByteWriter writer(bytes);
    for (const std::uint32_t number : numbers) writer.be32(number);
    return bytes;
  }

  // Handles and parameters, without sessions. True when the reply is ready without the TPM.
  bool decide(std::uint32_t code, const proto::Buffer& body, ContextId context = kContext) {
    start(code, body, context);
    return decision->decide();
  }
  void start(std::uint32_t code, const proto::Buffer& body, ContextId context = kContext) {
    proto::Buffer command;
    proto::ByteWriter writer(command);
    writer.be16(tpm::kTagNoSessions);
    writer.be32(static_cast<std::uint32_t>(tpm::kHeaderSize + body.size()));
    writer.be32(code);
    writer.bytes(body);
    results.reset();
    decision.reset();
    repair.reset();
    contexts.reset();
    run = std::make_unique<CommandRun>(
        state, tbs::test::client_command({.context = context, .bytes = std::move(command)}));
    contexts = std::make_unique<ContextCommands>(*run);
    repair = std::make_unique<CommandRepair>(*run);
    decision = std::make_unique<CommandDecision>(*run, *contexts, *repair);
    results = std::make_unique<CommandResults>(*run, *contexts);
  }

  // The TPM has run it, and answers success with these bytes behind the header.
  std::optional<TpmProbe::Reason> succeed(const proto::Buffer& body, bool detached = false) {
    run->reply = tpm::bare_response(tpm::rc::kSuccess);
    proto::ByteWriter(run->reply).bytes(body);
    tpm::put_be32(run->reply, 2, static_cast<std::uint32_t>(run->reply.size()));
    response = run->reply;
    const auto view = tpm::parse_response(response, {.has_handle = run->view.info->returns_handle});
    REQUIRE(view);
    return results->take(*view, decision->query(), detached);
  }

  [[nodiscard]] std::uint32_t reply_code() const { return word(6); }
  [[nodiscard]] std::uint32_t reply_handle() const { return word(tpm::kHeaderSize); }

  Notes notes;
  State state{exec::Options{}, notes};
  std::unique_ptr<CommandRun> run;
  std::unique_ptr<ContextCommands> contexts;
  std::unique_ptr<CommandRepair> repair;
  std::unique_ptr<CommandDecision> decision;
  std::unique_ptr<CommandResults> results;

 private:
  void open(ContextId context, const Principal& user) {
    state.contexts[context] = user;
    state.objects.open_context(context, user);
  }
  [[nodiscard]] std::uint32_t word(std::size_t offset) const {
    return proto::ByteReader(proto::Bytes(run->reply).subspan(offset)).be32();
  }

  proto::Buffer response;
};

}  // namespace tbs::rm::test
