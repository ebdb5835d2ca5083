// Single commands that a resource manager must understand, or survive.

#include <algorithm>
#include <string>

#include "tests/integration/client_cases/case.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

TSS2L_SYS_AUTH_COMMAND authorized_by(TPM2_HANDLE session) {
  TSS2L_SYS_AUTH_COMMAND made{};
  made.count = 1;
  made.auths[0].sessionHandle = session;
  return made;
}

TSS2L_SYS_AUTH_COMMAND password(const std::string& text) {
  TSS2L_SYS_AUTH_COMMAND made = authorized_by(TPM2_RS_PW);
  made.auths[0].hmac.size = static_cast<UINT16>(text.size());
  std::ranges::copy(text, made.auths[0].hmac.buffer);
  return made;
}

TSS2_RC ask_for_pcrs(const TssClient& client, const TSS2L_SYS_AUTH_COMMAND& authorization) {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA data{};
  TSS2L_SYS_AUTH_RESPONSE answered{};
  return Tss2_Sys_GetCapability(client.sys(), &authorization, TPM2_CAP_PCRS, 0, 1, &more, &data,
                                &answered);
}

TSS2_RC define(const TssClient& client, TPM2_HANDLE index, const std::string& word) {
  TPM2B_AUTH authorization{};
  authorization.size = static_cast<UINT16>(word.size());
  std::ranges::copy(word, authorization.buffer);
  TPM2B_NV_PUBLIC area{};
  area.nvPublic.nvIndex = index;
  area.nvPublic.nameAlg = TPM2_ALG_SHA256;
  area.nvPublic.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE;
  area.nvPublic.dataSize = 32;
  const TSS2L_SYS_AUTH_COMMAND owner = password("");
  return Tss2_Sys_NV_DefineSpace(client.sys(), TPM2_RH_OWNER, &owner, &authorization, &area,
                                 nullptr);
}

TSS2_RC write(const TssClient& client, TPM2_HANDLE index, const std::string& word) {
  const TSS2L_SYS_AUTH_COMMAND authorization = password(word);
  TPM2B_MAX_NV_BUFFER data{};
  data.size = 4;
  std::ranges::copy(std::to_array<BYTE>({0xff, 0xfe, 0xfd, 0xfc}), data.buffer);
  return Tss2_Sys_NV_Write(client.sys(), index, index, &authorization, &data, 0, nullptr);
}

// A header and zeroes.
std::vector<std::uint8_t> command_of(std::uint16_t tag, std::uint32_t code, std::size_t size) {
  proto::Buffer made;
  proto::ByteWriter writer(made);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(size));
  writer.be32(code);
  made.resize(size);
  return made;
}

void check_alive(TestBench& bench, TssClient& client) {
  CHECK(client.code_of(tpm::get_random(8)) == TPM2_RC_SUCCESS);
  CHECK(bench.contexts().size() == 1);
}

}  // namespace

void capability_with_session(TestBench& bench) {
  const TssClient client(bench.socket());
  CHECK(ask_for_pcrs(client, password("")) == (TPM2_RC_HANDLE | TPM2_RC_S | TPM2_RC_1));
  TPM2_HANDLE session = 0;
  REQUIRE(client.start_session(TPM2_SE_HMAC, session) == TSS2_RC_SUCCESS);
  TSS2L_SYS_AUTH_COMMAND audit = authorized_by(session);
  audit.auths[0].sessionAttributes = TPMA_SESSION_AUDIT | TPMA_SESSION_CONTINUESESSION;
  CHECK(ask_for_pcrs(client, audit) == TSS2_RC_SUCCESS);
  CHECK(client.handles(TPM2_LOADED_SESSION_FIRST) == std::vector<TPM2_HANDLE>{session});
  // Without continueSession it ends with the command.
  audit.auths[0].sessionAttributes = TPMA_SESSION_AUDIT;
  CHECK(ask_for_pcrs(client, audit) == TSS2_RC_SUCCESS);
  CHECK(client.handles(TPM2_LOADED_SESSION_FIRST).empty());
}

void password_authorization(TestBench& bench) {
  constexpr TPM2_HANDLE kIndex = 0x01500020;
  const TssClient client(bench.socket());
  REQUIRE(define(client, kIndex, "test password") == TSS2_RC_SUCCESS);
  // A TPM asks to send the first use of such an index again (TPM_RC_RETRY): clients do not see
  // that.
  CHECK(write(client, kIndex, "test password") == TSS2_RC_SUCCESS);
  CHECK(write(client, kIndex, "test passw0rd") == (TPM2_RC_AUTH_FAIL | TPM2_RC_S | TPM2_RC_1));
  CHECK(write(client, kIndex, "test password") == TSS2_RC_SUCCESS);
  const TSS2L_SYS_AUTH_COMMAND owner = password("");
  CHECK(Tss2_Sys_NV_UndefineSpace(client.sys(), TPM2_RH_OWNER, kIndex, &owner, nullptr) ==
        TSS2_RC_SUCCESS);
}

void too_few_handles(TestBench& bench) {
  TssClient client(bench.socket());
  // TPM2_PolicyNV takes three handles.
  const std::vector<std::uint8_t> two = {0x80, 0x02, 0, 0, 0, 18,   0,    0,    0x01,
                                         0x49, 1,    2, 3, 4, 0xf0, 0xe0, 0xd0, 0xc0};
  const TSS2_RC code = client.code_of(two);
  CHECK((code & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_RC_LAYER);
  CHECK((code & ~TSS2_RC_LAYER_MASK) != TPM2_RC_SUCCESS);
  for (std::size_t size = 10; size < two.size(); ++size) {
    std::vector<std::uint8_t> shorter(two.begin(), two.begin() + static_cast<std::ptrdiff_t>(size));
    shorter[5] = static_cast<std::uint8_t>(size);
    CHECK((client.code_of(shorter) & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_RC_LAYER);
  }
  check_alive(bench, client);
}

void flush_without_handle(TestBench& bench) {
  TssClient client(bench.socket());
  const TSS2_RC code = client.code_of(command_of(TPM2_ST_NO_SESSIONS, TPM2_CC_FlushContext, 10));
  CHECK((code & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_RC_LAYER);
  CHECK((code & 0x3f) == (TPM2_RC_INSUFFICIENT & 0x3f));
  check_alive(bench, client);
}

void size_above_limit(TestBench& bench) {
  TssClient client(bench.socket());
  std::vector<std::uint8_t> liar = command_of(TPM2_ST_NO_SESSIONS, TPM2_CC_ContextSave, 14);
  liar[4] = 0x20;
  liar[5] = 0;
  CHECK(client.code_of(liar) == TSS2_TCTI_RC_BAD_VALUE);
  check_alive(bench, client);
  // A program that does not use the module, and so reaches the daemon with it.
  RawClient raw = bench.context();
  CHECK(raw.call(liar).status == proto::Status::BadParameter);
  CHECK(raw.call(tpm::get_random(8)).status == proto::Status::Success);
}

void largest_command(TestBench& bench) {
  TssClient client(bench.socket());
  RawClient raw = bench.connect();
  const std::size_t largest = raw.hello(proto::Role::Context).max_command;
  REQUIRE(largest >= 1024);
  const auto fits = command_of(TPM2_ST_NO_SESSIONS, TPM2_CC_Hash, largest);
  const auto too_large = command_of(TPM2_ST_NO_SESSIONS, TPM2_CC_Hash, largest + 1);
  // The TPM says what is wrong with it, or the daemon, if it knows that the TPM takes less.
  CHECK((client.code_of(fits) & ~TSS2_RC_LAYER_MASK) != TPM2_RC_SUCCESS);
  CHECK(client.code_of(too_large) == TSS2_TCTI_RC_BAD_VALUE);
  CHECK(raw.call(too_large).status == proto::Status::BufferTooLarge);
  CHECK(client.code_of(tpm::get_random(8)) == TPM2_RC_SUCCESS);
}

void command_attributes(TestBench& bench) {
  TssClient client(bench.socket());
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA data{};
  REQUIRE(Tss2_Sys_GetCapability(client.sys(), nullptr, TPM2_CAP_COMMANDS, TPM2_CC_FIRST,
                                 TPM2_MAX_CAP_CC, &more, &data, nullptr) == TSS2_RC_SUCCESS);
  REQUIRE(data.data.command.count > 90);
  for (UINT32 i = 0; i < data.data.command.count; ++i) {
    const TPMA_CC attributes = data.data.command.commandAttributes[i];
    const UINT32 code = attributes & (TPMA_CC_COMMANDINDEX_MASK | TPMA_CC_V);
    INFO("command " << std::hex << code);
    // Nothing but a header: a command that takes handles is refused before it reaches the TPM.
    const TSS2_RC answer = client.code_of(command_of(TPM2_ST_NO_SESSIONS, code, 10));
    CHECK((answer & TSS2_RC_LAYER_MASK) != TSS2_TCTI_RC_LAYER);
    CHECK((answer & ~TSS2_RC_LAYER_MASK) != TPM2_RC_COMMAND_CODE);
    const bool takes_handles = (attributes & TPMA_CC_CHANDLES_MASK) != 0;
    if (takes_handles) CHECK((answer & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_RC_LAYER);
  }
  for (const std::uint32_t unknown : {0U, 0x11eU, 0x1ffU, 0xffffU, 0x20000fffU, 0xffffffffU}) {
    INFO("command " << std::hex << unknown);
    CHECK((client.code_of(command_of(TPM2_ST_NO_SESSIONS, unknown, 10)) & ~TSS2_RC_LAYER_MASK) ==
          TPM2_RC_COMMAND_CODE);
  }
  check_alive(bench, client);
}

}  // namespace tbs::test
