#pragma once

// What usually causes a response code, and what to do: the other half of rc_tables.h, with the same
// numbers. One table for each range of codes.

#include <cstdint>
#include <span>
#include <string_view>

namespace tbs::ctl {

struct RcAdvice {
  std::uint32_t number;
  std::string_view cause;
  std::string_view advice;
};

std::span<const RcAdvice> tpm20_advice();     // all formats, without a position
std::span<const RcAdvice> tpm12_advice();     // TPM 1.2
std::span<const RcAdvice> tss_base_advice();  // TSS 2.0 software layers, bits 0 to 15
std::span<const RcAdvice> service_advice();   // of TBS and of the service itself

// The row of a number; null when there is none.
const RcAdvice* find_advice(std::span<const RcAdvice> rows, std::uint32_t number);

// Of a whole code, with its layer and position. Null when there is none.
const RcAdvice* advice_for_tpm20(std::uint32_t code);
const RcAdvice* advice_for_tpm12(std::uint32_t code);

}  // namespace tbs::ctl
