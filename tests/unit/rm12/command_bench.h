#pragma once

// One client command for TPM 1.2 before the parts of its execution: tables, the command's bytes,
// and what the resource manager tells an administrator meanwhile.

#include <initializer_list>
#include <memory>
#include <vector>

#include "daemon/rm12/command_decision.h"
#include "daemon/rm12/command_repair.h"
#include "daemon/rm12/command_results.h"
#include "daemon/rm12/command_run.h"
#include "daemon/rm12/context_commands.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/service_codes.h"
#include "tests/support/catch2.h"
#include "tests/support/observer_notes.h"
#include "tests/support/virtual_handles12.h"

namespace tbs::rm12::test {

namespace ord = tpm12::ord;
namespace rc = tpm12::rc;
using exec::PhysicalHandle;
using exec::VirtualHandle;
using tbs::test::kAlice;
using tbs::test::kBob;
using tbs::test::kFirstAuth;
using tbs::test::kFirstKey;
using tbs::test::kFirstTransport;
using tbs::test::Notes;

inline constexpr ContextId kContext{1};
inline constexpr ContextId kOther{2};
inline constexpr ContextId kStranger{3};

inline proto::Buffer words(std::initializer_list<std::uint32_t> numbers) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  for (const std::uint32_t number : numbers) writer.be32(number);
  return bytes;
}

inline proto::Buffer sized(const proto::Buffer& bytes) {
  proto::Buffer all;
  proto::ByteWriter writer(all);
  writer.be32(static_cast<std::uint32_t>(bytes.size()));
  writer.bytes(bytes);
  return all;
}

// A TPM_CONTEXT_BLOB.
inline proto::Buffer blob(Kind kind, std::uint32_t handle, std::uint32_t count = 0) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(1);
  writer.be32(static_cast<std::uint32_t>(kind));
  writer.be32(handle);
  writer.bytes(proto::Buffer(16));
  writer.be32(count);
  writer.bytes(proto::Buffer(tpm12::kDigestSize));
  return bytes;
}

// A command with these bytes behind the header, and these sessions below the line.
inline proto::Buffer command(std::uint32_t ordinal, const proto::Buffer& body,
                             std::initializer_list<std::uint32_t> sessions = {}) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(static_cast<std::uint16_t>(tpm12::kTagCommand + sessions.size()));
  writer.be32(static_cast<std::uint32_t>(tpm12::kHeaderSize + body.size() +
                                         sessions.size() * tpm12::kCommandAuthSize));
  writer.be32(ordinal);
  writer.bytes(body);
  for (const std::uint32_t session : sessions) {
    writer.be32(session);
    writer.bytes(proto::Buffer(tpm12::kCommandAuthSize - tpm12::kHandleSize));
  }
  return bytes;
}

// A success with these bytes, and whether each session continues.
inline proto::Buffer success(const proto::Buffer& body, std::initializer_list<bool> sessions = {}) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(static_cast<std::uint16_t>(tpm12::kTagResponse + sessions.size()));
  writer.be32(static_cast<std::uint32_t>(tpm12::kHeaderSize + body.size() +
                                         sessions.size() * tpm12::kResponseAuthSize));
  writer.be32(rc::kSuccess);
  writer.bytes(body);
  for (const bool continues : sessions) {
    writer.bytes(proto::Buffer(tpm12::kDigestSize));
    writer.u8(continues ? 1 : 0);
    writer.bytes(proto::Buffer(tpm12::kDigestSize));
  }
  return bytes;
}

struct Tables {
  Tables() {
    state.table.open_context(kContext, kAlice);
    state.table.open_context(kOther, kAlice);
    state.table.open_context(kStranger, kBob);
  }

  Resource& key(std::uint32_t physical, ContextId owner = kContext) {
    Resource& made = state.table.add(owner, Kind::Key, PhysicalHandle{physical});
    made.identity = physical;
    made.last_used = state.next_use();
    return made;
  }
  // Of OSAP, where it is bound to a key.
  Resource& session(std::uint32_t physical, Resource* bound = nullptr, ContextId owner = kContext) {
    Resource& made = state.table.add(owner, Kind::Auth, PhysicalHandle{physical});
    made.last_used = state.next_use();
    made.key = bound;
    made.needs_key = bound != nullptr;
    if (bound != nullptr) made.identity = bound->identity;
    return made;
  }
  // Out of the TPM, with this entry in its list.
  void evict(Resource& resource, std::uint32_t count = 0) {
    resource.saved.store(blob(resource.kind, number_of(resource.physical), count));
    state.table.set_evicted(resource);
    resource.count = count;
  }
  // By its client.
  void save(Resource& session, std::uint32_t count) {
    evict(session, count);
    session.client_blob = session.saved.context();
  }

  Notes notes;
  State state{exec::Options{}, notes};
};

class CommandBench : public Tables {
 public:
  // True when the reply is ready without the TPM.
  bool decide(proto::Buffer bytes, ContextId context = kContext) {
    results.reset();
    decision.reset();
    repair.reset();
    contexts.reset();
    run = std::make_unique<CommandRun>(state, context, std::move(bytes));
    contexts = std::make_unique<ContextCommands>(*run);
    repair = std::make_unique<CommandRepair>(*run);
    decision = std::make_unique<CommandDecision>(*run, *contexts);
    results = std::make_unique<CommandResults>(*run, *contexts);
    return decision->decide();
  }

  // The TPM has run it. True when it has to be looked at.
  bool succeed(const proto::Buffer& response, bool detached = false) {
    response_ = response;
    run->reply = response;
    const auto view = tpm12::parse_response(response_);
    REQUIRE(view);
    REQUIRE(results->complete(*view));
    return results->take(*view, detached);
  }

  [[nodiscard]] std::uint32_t reply_code() const { return word(6); }
  [[nodiscard]] std::uint32_t reply_handle() const { return word(tpm12::kHeaderSize); }
  [[nodiscard]] std::uint32_t word(std::size_t offset) const {
    return proto::ByteReader(proto::Bytes(run->reply).subspan(offset)).be32();
  }

  std::unique_ptr<CommandRun> run;
  std::unique_ptr<ContextCommands> contexts;
  std::unique_ptr<CommandRepair> repair;
  std::unique_ptr<CommandDecision> decision;
  std::unique_ptr<CommandResults> results;

 private:
  proto::Buffer response_;
};

}  // namespace tbs::rm12::test
