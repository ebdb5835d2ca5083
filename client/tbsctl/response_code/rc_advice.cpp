#include "client/tbsctl/response_code/rc_advice.h"

#include <algorithm>

#include "proto/service_codes.h"
#include "proto/tpm/response_code.h"

namespace tbs::ctl {
namespace {

const RcAdvice* advice_without_layer(std::uint32_t code) {
  if ((code & (tpm::rc::kFormatOne | tpm::rc::kVersion2)) == 0) {
    return find_advice(tpm12_advice(), code);
  }
  return find_advice(tpm20_advice(), tpm::without_position(code));
}

// Codes that are passed on have the TPM's in their lower half.
const RcAdvice* advice_of_service(std::uint32_t code) {
  const RcAdvice* const own = find_advice(service_advice(), code);
  return own != nullptr ? own : advice_without_layer(code & 0xFFFFU);
}

bool of_service(std::uint32_t code) {
  return (code & proto::service::kFacilityMask) == proto::service::kFacility;
}

}  // namespace

const RcAdvice* find_advice(std::span<const RcAdvice> rows, std::uint32_t number) {
  const auto row = std::ranges::find(rows, number, &RcAdvice::number);
  return row == rows.end() ? nullptr : &*row;
}

const RcAdvice* advice_for_tpm20(std::uint32_t code) {
  if (of_service(code)) return advice_of_service(code);
  const std::uint32_t inner = code & 0xFFFFU;
  if ((code & TSS2_RC_LAYER_MASK) != 0) {
    if (const RcAdvice* const base = find_advice(tss_base_advice(), inner)) return base;
  }
  return advice_without_layer(inner);
}

const RcAdvice* advice_for_tpm12(std::uint32_t code) {
  return of_service(code) ? advice_of_service(code) : find_advice(tpm12_advice(), code);
}

}  // namespace tbs::ctl
