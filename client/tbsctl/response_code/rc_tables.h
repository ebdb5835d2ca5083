#pragma once

// The tables behind rc_text.h, one per range of numbers. Names are those of the specifications;
// texts say the same in one sentence.

#include <cstdint>
#include <span>
#include <string_view>

namespace tbs::ctl {

struct RcRow {
  std::uint32_t number;  // within its range
  std::string_view name;
  std::string_view text;
};

std::span<const RcRow> format1_rows();   // TPM 2.0, bits 0 to 5 of a code with bit 7 set
std::span<const RcRow> format0_rows();   // TPM 2.0 errors, bits 0 to 6 of a code with bit 8 set
std::span<const RcRow> warning_rows();   // TPM 2.0 warnings: as before, with bit 11 set too
std::span<const RcRow> tpm12_rows();     // TPM 1.2, the whole code
std::span<const RcRow> tss_base_rows();  // TSS 2.0 software layers, bits 0 to 15
std::span<const RcRow> service_rows();   // codes of the service itself, the whole code
std::span<const RcRow> layer_rows();     // TSS 2.0 layers, bits 16 to 23

// The row of a number; null when there is none.
const RcRow* find_row(std::span<const RcRow> rows, std::uint32_t number);

}  // namespace tbs::ctl
