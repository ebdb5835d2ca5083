#pragma once

// The tables behind rc_text.h, one per range of codes. Names are those of the specifications;
// texts say the same in one sentence.

#include <cstdint>
#include <span>
#include <string_view>

namespace tbs::ctl {

struct RcRow {
  std::uint32_t number;
  std::string_view name;
  std::string_view text;
};

std::span<const RcRow> format1_rows();   // TPM 2.0, format 1, without a position
std::span<const RcRow> format0_rows();   // TPM 2.0, format 0, errors
std::span<const RcRow> warning_rows();   // TPM 2.0, format 0, warnings
std::span<const RcRow> tpm12_rows();     // TPM 1.2
std::span<const RcRow> tss_base_rows();  // TSS 2.0 software layers, bits 0 to 15
std::span<const RcRow> service_rows();   // of the service itself
std::span<const RcRow> layer_rows();     // TSS 2.0 layers, in bits 16 to 23

// The row of a number; null when there is none.
const RcRow* find_row(std::span<const RcRow> rows, std::uint32_t number);

}  // namespace tbs::ctl
