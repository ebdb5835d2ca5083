#pragma once

// One client command for TPM 2.0, in the phases of daemon/exec/client_phases.h. Every kind of
// repair that leads back to an earlier phase has a bound.
//
// Its parts: client_execution.cpp (the phases), client_decide.cpp, context_commands.cpp,
// client_repair.cpp, client_finish.cpp.

#include <cstdint>
#include <optional>

#include "daemon/exec/client_phases.h"
#include "daemon/rm/gap_refresh.h"
#include "daemon/rm/handle_lists.h"
#include "daemon/rm/plan.h"
#include "daemon/rm/procedure.h"
#include "daemon/rm/tpm_probe.h"
#include "daemon/tpm/capability.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "daemon/tpm/response_view.h"

namespace tbs::rm {

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
  std::optional<Operation> bring_in_objects();
  std::optional<Operation> bring_in_sessions();
  Step answered_probe(proto::Bytes response);
  Step answered_verify(proto::Bytes response);

  // client_decide.cpp. These return true when the reply is ready without the TPM.
  bool refuse(std::uint32_t code);
  bool reply_from_memory(proto::Buffer reply);
  bool decide_special();
  bool decide_get_capability();
  bool decide_read_public();
  bool object_limit_reached();
  bool decide_new_session();

  // context_commands.cpp.
  bool decide_flush();
  bool flush_object(std::uint32_t handle);
  bool flush_session(std::uint32_t handle);
  bool decide_save();
  bool decide_load();
  bool load_known_session(Session& session, proto::Bytes blob);
  bool claim_loaded_session();
  void finish_flush();
  void finish_save(const tpm::ResponseView& response);

  // client_repair.cpp. Those that return bool say whether the repair is under way.
  bool repair(std::uint32_t code);
  bool free_object();
  bool free_session();
  bool drop_session();
  bool refresh_gap();
  bool probe_again(TpmProbe::Reason reason);
  void learn_from_refusal();
  std::optional<Operation> forced();
  std::optional<Operation> drop();

  // client_finish.cpp.
  Step finish(proto::Bytes response);
  void finish_success(const tpm::ResponseView& response);
  void end_sessions(const tpm::ResponseView& response);
  void end_objects();
  void drop_cleared_hierarchies();
  void register_result(std::uint32_t handle);
  void register_object(std::uint32_t physical);
  void register_session(std::uint32_t handle);
  void remember();
  void note_side_effects();

  [[nodiscard]] proto::Buffer physical_command() const;
  [[nodiscard]] tpm::ResponseShape shape() const;
  [[nodiscard]] UserId user() const { return state_.contexts.at(context_); }

  ContextId context_;
  std::uint8_t locality_;
  proto::Buffer command_;
  tpm::CommandView view_;
  Plan plan_;
  // What FlushContext is about.
  Object* flushed_object_ = nullptr;
  Session* flushed_session_ = nullptr;
  // The session that ContextLoad hands to this context.
  Session* claimed_ = nullptr;
  // The session that makes room for a new one.
  Session* dropped_ = nullptr;
  std::optional<tpm::CapabilityQuery> query_;

  std::optional<TpmProbe> probe_;
  std::optional<GapRefresh> gap_;
  std::optional<HandleLists> lists_;
  // Repairs that are still allowed.
  unsigned evictions_left_ = 16;
  unsigned gaps_left_ = 1;
  unsigned drops_left_ = 1;
  unsigned surveys_left_ = 1;
  unsigned losses_left_ = 8;
  bool force_object_ = false;
  bool force_session_ = false;

  proto::Buffer reply_;
};

}  // namespace tbs::rm
