#pragma once

// One client command for TPM 1.2, in the phases of daemon/exec/client_phases.h. Every kind of
// repair that leads back to an earlier phase has a bound.
//
// A TPM 1.2 ends the sessions of a command that fails, though not always. So a failed command with
// sessions is followed by a look at the TPM's lists, and is repeated only when they all survived.
//
// Its parts: client_execution.cpp (the phases), client_decide.cpp, client_contexts.cpp,
// client_repair.cpp, client_finish.cpp.

#include <cstdint>
#include <optional>

#include "daemon/exec/client_phases.h"
#include "daemon/rm12/plan.h"
#include "daemon/rm12/procedure.h"
#include "daemon/rm12/tpm_probe.h"
#include "daemon/tpm12/command_view.h"
#include "daemon/tpm12/response.h"

namespace tbs::rm12 {

class ClientExecution final : public Procedure, private exec::ClientPhases {
 public:
  ClientExecution(State& state, ContextId context, std::uint8_t locality, proto::Buffer command);

 private:
  Step next() override { return proceed(); }
  Step answered(proto::Bytes response, std::uint32_t code) override;
  Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) override;
  [[nodiscard]] bool can_give_up() const override { return phase_ <= Phase::Command; }

  std::optional<Step> look() override;
  std::optional<Step> decide() override;
  std::optional<Step> prepare() override;
  Step transmit() override;
  void note_uses();
  std::optional<Step> undo() override;
  std::optional<Step> verify() override;
  Step reply() override;
  std::optional<Operation> bring_in(Kind kind);
  Step answered_probe(proto::Bytes response);
  Step answered_verify(proto::Bytes response);
  [[nodiscard]] proto::Buffer physical_command() const;

  // client_decide.cpp. These return true when the reply is ready without the TPM.
  bool understand();
  bool refuse(std::uint32_t code);
  bool refuse_run(std::uint32_t code);
  bool reply_from_memory(proto::Buffer reply);
  bool decide_special();
  bool decide_get_capability();
  bool decide_create(Kind kind);
  bool decide_reset();
  [[nodiscard]] bool wrappable() const;

  // client_contexts.cpp.
  bool decide_context_command();
  bool decide_save();
  bool decide_load();
  bool decide_load_key(proto::Bytes blob, bool keep);
  bool decide_load_session(std::uint32_t entity, proto::Bytes blob, bool keep);
  bool decide_flush();
  bool decide_flush_saved(std::uint32_t count);
  bool decide_evict_key();
  bool decide_terminate();
  bool decide_save_auth();
  bool decide_load_auth();
  bool flush_now(Resource* resource, std::uint32_t code_if_missing);
  Resource* find_saved(proto::Bytes blob, bool old_style) const;
  bool claim();
  void finish_context_command(const tpm12::ResponseView& response);
  void finish_save_session(Resource& session, proto::Bytes blob);

  // client_repair.cpp.
  Step repair(proto::Bytes response, std::uint32_t code);
  bool free_slot(bool authorized);
  bool look_again(TpmProbe::Reason reason, bool resume);
  void restart();
  bool drop_session();
  std::optional<Operation> forced();
  [[nodiscard]] bool authorized() const;

  // client_finish.cpp.
  Step finish(proto::Bytes response, std::uint32_t code);
  void finish_success(const tpm12::ResponseView& response);
  void finish_wrapped(const tpm12::ResponseView& response);
  void end_sessions(std::array<Resource*, tpm12::kMaxAuths>& auths, std::uint8_t count,
                    const tpm12::ResponseView& response);
  void end_session(Resource* session);
  void register_result(const tpm12::CommandView& command, std::uint32_t physical,
                       std::size_t offset);
  void describe(const tpm12::CommandView& command, Resource& resource) const;
  [[nodiscard]] std::optional<std::uint32_t> wanted_handle(const tpm12::CommandView& command,
                                                           std::uint32_t physical) const;
  bool refuse_duplicate(const tpm12::CommandView& command, std::uint32_t physical);
  void register_daa(const tpm12::ResponseView& response);
  void note_key_control();

  [[nodiscard]] UserId user() const { return state_.table.user_of(context_); }

  ContextId context_;
  std::uint8_t locality_;
  proto::Buffer command_;
  tpm12::CommandView view_;
  std::optional<tpm12::CommandView> wrapped_;
  Plan plan_;
  // What TPM_SaveContext and the like are about.
  Resource* saved_ = nullptr;
  // The session that TPM_LoadContext hands to this context, and the handle that it asks for.
  Resource* claimed_ = nullptr;
  std::optional<std::uint32_t> wanted_;

  std::optional<TpmProbe> probe_;
  std::optional<ListHandles> lists_;
  // After the look that follows a failure the command may be sent once more.
  bool resume_ = false;
  std::optional<Kind> force_;
  // Repairs that are still allowed.
  unsigned evictions_left_ = 16;
  unsigned drops_left_ = 4;
  unsigned surveys_left_ = 2;
  unsigned losses_left_ = 8;

  // The TPM's answer, or the daemon's. Not empty in Decide: the TPM has refused the command, and
  // that is the answer unless it can be sent again.
  proto::Buffer reply_;
};

}  // namespace tbs::rm12
