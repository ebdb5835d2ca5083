#include "client/tbsctl/response_code/rc_advice.h"

#include <set>

#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

#include "client/tbsctl/response_code/rc_tables.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "proto/service_codes.h"
#include "proto/status.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::ctl;

namespace {

void every_row_has_advice(std::span<const RcRow> rows, std::span<const RcAdvice> advice) {
  for (const RcRow& row : rows) {
    CAPTURE(row.name);
    const RcAdvice* const found = find_advice(advice, row.number);
    REQUIRE(found != nullptr);
    CHECK_FALSE(found->cause.empty());
    CHECK_FALSE(found->advice.empty());
  }
}

std::set<std::uint32_t> numbers_of(std::span<const RcRow> rows) {
  std::set<std::uint32_t> numbers;
  for (const RcRow& row : rows) numbers.insert(row.number);
  return numbers;
}

std::set<std::uint32_t> numbers_of(std::span<const RcAdvice> rows) {
  std::set<std::uint32_t> numbers;
  for (const RcAdvice& row : rows) CHECK(numbers.insert(row.number).second);
  return numbers;
}

}  // namespace

TEST_CASE("every code in the tables has a cause and advice", "[tbsctl][rc]") {
  every_row_has_advice(format1_rows(), tpm20_advice());
  every_row_has_advice(format0_rows(), tpm20_advice());
  every_row_has_advice(warning_rows(), tpm20_advice());
  every_row_has_advice(tpm12_rows(), tpm12_advice());
  every_row_has_advice(tss_base_rows(), tss_base_advice());
  every_row_has_advice(service_rows(), service_advice());
}

TEST_CASE("every TBS return code has a cause and advice", "[tbsctl][rc]") {
  std::size_t codes = 0;
  for (std::uint32_t code = proto::service::kTbs; code < proto::service::kTbs + 0x100; ++code) {
    if (proto::status_name(static_cast<proto::Status>(code)) == "TBS_E_UNKNOWN") continue;
    ++codes;
    CAPTURE(code);
    const RcAdvice* const found = advice_for_tpm20(code);
    REQUIRE(found != nullptr);
    CHECK_FALSE(found->cause.empty());
    CHECK_FALSE(found->advice.empty());
  }
  CHECK(codes == 22);
}

TEST_CASE("there is no advice for codes that are in no table, or twice", "[tbsctl][rc]") {
  auto tpm20 = numbers_of(format1_rows());
  tpm20.merge(numbers_of(format0_rows()));
  tpm20.merge(numbers_of(warning_rows()));
  CHECK(numbers_of(tpm20_advice()) == tpm20);
  CHECK(numbers_of(tpm12_advice()) == numbers_of(tpm12_rows()));
  CHECK(numbers_of(tss_base_advice()) == numbers_of(tss_base_rows()));
}

TEST_CASE("a code finds its advice whatever its layer and position", "[tbsctl][rc]") {
  const RcAdvice* const value = find_advice(tpm20_advice(), TPM2_RC_VALUE);
  CHECK(advice_for_tpm20(TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_2) == value);
  CHECK(advice_for_tpm20(TSS2_RESMGR_TPM_RC_LAYER + TPM2_RC_VALUE + TPM2_RC_H + TPM2_RC_1) ==
        value);
  CHECK(advice_for_tpm20(TSS2_TCTI_RC_IO_ERROR) ==
        find_advice(tss_base_advice(), TSS2_BASE_RC_IO_ERROR));
  // A code of the TPM that the service passes on.
  CHECK(advice_for_tpm20(0x80280000 | TPM2_RC_RETRY) == find_advice(tpm20_advice(), TPM2_RC_RETRY));
  CHECK(advice_for_tpm12(1) == find_advice(tpm12_advice(), 1));
  CHECK(advice_for_tpm12(0x80280400) == find_advice(service_advice(), 0x80280400));
  CHECK(advice_for_tpm20(0) == nullptr);
  CHECK(advice_for_tpm20(0xFFFFFFFF) == nullptr);
}
