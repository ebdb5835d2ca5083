#include "client/tbsctl/explain/code_names.h"

#include <algorithm>
#include <cerrno>

#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

#include "client/tbsctl/response_code/rc_tables.h"
#include "proto/service_codes.h"
#include "proto/status.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::ctl;
using Codes = std::vector<FamilyCode>;

namespace {

void found_by_name(std::span<const RcRow> rows, CodeFamily family) {
  for (const RcRow& row : rows) {
    CAPTURE(row.name);
    CHECK(codes_named(row.name) == Codes{{family, row.number}});
  }
}

bool has(const Codes& codes, FamilyCode code) {
  return std::ranges::find(codes, code) != codes.end();
}

}  // namespace

TEST_CASE("each name in the tables finds its code alone", "[tbsctl][explain]") {
  found_by_name(format1_rows(), CodeFamily::Tpm20);
  found_by_name(format0_rows(), CodeFamily::Tpm20);
  found_by_name(warning_rows(), CodeFamily::Tpm20);
  found_by_name(tpm12_rows(), CodeFamily::Tpm12);
  found_by_name(service_rows(), CodeFamily::Tbs);
}

TEST_CASE("names of tpm2-tss, TBS, Windows and the system are known", "[tbsctl][explain]") {
  CHECK(codes_named("TPM2_RC_LOCKOUT") == Codes{{CodeFamily::Tpm20, TPM2_RC_LOCKOUT}});
  CHECK(codes_named("tpm_rc_lockout") == Codes{{CodeFamily::Tpm20, TPM2_RC_LOCKOUT}});
  CHECK(codes_named("TSS2_TCTI_RC_IO_ERROR") == Codes{{CodeFamily::Tpm20, TSS2_TCTI_RC_IO_ERROR}});
  CHECK(codes_named("TSS2_ESYS_RC_BAD_TR") == Codes{{CodeFamily::Tpm20, TSS2_ESYS_RC_BAD_TR}});
  CHECK(codes_named("TSS2_FAPI_RC_KEY_NOT_FOUND") ==
        Codes{{CodeFamily::Tpm20, TSS2_FAPI_RC_KEY_NOT_FOUND}});
  CHECK(codes_named("TBS_E_COMMAND_CANCELED") == Codes{{CodeFamily::Tbs, 0x8028400D}});
  CHECK(codes_named("TPM_E_AUTHFAIL") == Codes{{CodeFamily::Tbs, 0x80280001}});
  CHECK(codes_named("EBUSY") == Codes{{CodeFamily::System, EBUSY}});
  CHECK(codes_named("ebusy") == Codes{{CodeFamily::System, EBUSY}});
  CHECK(codes_named("TPM2_RC_BAD_TAG") == Codes{{CodeFamily::Tpm12, TPM2_RC_BAD_TAG}});
  CHECK(codes_named("TBS_SUCCESS") == Codes{{CodeFamily::Tbs, 0}});
  CHECK(codes_named("NOTHING_LIKE_IT").empty());
  CHECK(codes_named("").empty());
}

TEST_CASE("a name without its prefix may stand for several", "[tbsctl][explain]") {
  const Codes retry = codes_named("retry");
  CHECK(has(retry, {CodeFamily::Tpm20, TPM2_RC_RETRY}));
  CHECK(has(retry, {CodeFamily::Tpm12, 0x800}));
  CHECK(has(retry, {CodeFamily::Tbs, 0x80280800}));
}

TEST_CASE("who has not hit a name is told some like it", "[tbsctl][explain]") {
  const auto names = names_like("TPM_RC_LOCKOU");
  REQUIRE(names.size() == 1);
  CHECK(names[0] == "TPM_RC_LOCKOUT");
  CHECK(names_like("a").empty());
  CHECK(names_like("E").empty());
  CHECK(names_like("BAD_").size() <= 6);
}
