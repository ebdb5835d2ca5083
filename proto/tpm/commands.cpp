#include "proto/tpm/commands.h"

#include "proto/tpm/command_builder.h"
#include "proto/tpm/structures.h"

namespace tbs::tpm::build {

using proto::Buffer;
using proto::Bytes;

Buffer startup(std::uint16_t type) {
  return CommandBuilder(cc::kStartup).u16(type).finish();
}

Buffer shutdown(std::uint16_t type) {
  return CommandBuilder(cc::kShutdown).u16(type).finish();
}

Buffer read_clock() {
  return CommandBuilder(cc::kReadClock).finish();
}

Buffer get_capability(std::uint32_t capability, std::uint32_t property, std::uint32_t count) {
  return CommandBuilder(cc::kGetCapability).u32(capability).u32(property).u32(count).finish();
}

Buffer context_save(std::uint32_t handle) {
  return CommandBuilder(cc::kContextSave).handle(handle).finish();
}

Buffer context_load(Bytes context) {
  return CommandBuilder(cc::kContextLoad).bytes(context).finish();
}

Buffer flush_context(std::uint32_t handle) {
  return CommandBuilder(cc::kFlushContext).u32(handle).finish();
}

Buffer get_random(std::uint16_t count) {
  return CommandBuilder(cc::kGetRandom).u16(count).finish();
}

Buffer read_public(std::uint32_t handle) {
  return CommandBuilder(cc::kReadPublic).handle(handle).finish();
}

Buffer self_test() {
  return CommandBuilder(cc::kSelfTest).u8(TPM2_YES).finish();
}

Buffer pcr_read(const TPML_PCR_SELECTION& selection) {
  return CommandBuilder(cc::kPcrRead).bytes(marshal(selection)).finish();
}

Buffer nv_read_public(std::uint32_t index) {
  return CommandBuilder(TPM2_CC_NV_ReadPublic).handle(index).finish();
}

Buffer nv_read(std::uint32_t index, std::uint16_t size) {
  return CommandBuilder(cc::kNvRead)
      .handle(index)
      .handle(index)
      .authorization(password_authorization())
      .u16(size)
      .u16(0)
      .finish();
}

Buffer pcr_event(std::uint32_t pcr, Bytes event) {
  return CommandBuilder(cc::kPcrEvent)
      .handle(pcr)
      .authorization(password_authorization())
      .bytes(marshal(sized<TPM2B_EVENT>(event).value_or(TPM2B_EVENT{})))
      .finish();
}

Buffer dictionary_attack_parameters(std::uint32_t failures, std::uint32_t interval,
                                    std::uint32_t recovery) {
  return CommandBuilder(cc::kDictionaryAttackParameters)
      .handle(kRhLockout)
      .authorization(password_authorization())
      .u32(failures)
      .u32(interval)
      .u32(recovery)
      .finish();
}

Buffer create_primary(std::uint32_t hierarchy, const TPMT_PUBLIC& kind, Bytes auth_value) {
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = sized<TPM2B_AUTH>(auth_value).value_or(TPM2B_AUTH{});
  return CommandBuilder(cc::kCreatePrimary)
      .handle(hierarchy)
      .authorization(password_authorization())
      .bytes(marshal(sensitive))
      .bytes(marshal(TPM2B_PUBLIC{.size = 0, .publicArea = kind}))
      .bytes(marshal(TPM2B_DATA{}))
      .bytes(marshal(TPML_PCR_SELECTION{}))
      .finish();
}

}  // namespace tbs::tpm::build
