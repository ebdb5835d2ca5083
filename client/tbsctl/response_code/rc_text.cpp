#include "client/tbsctl/response_code/rc_text.h"

#include "client/tbsctl/response_code/rc_tables.h"
#include "client/tbsctl/text/format.h"
#include "proto/status.h"

namespace tbs::ctl {
namespace {

constexpr std::uint32_t kFormat1 = 0x080;
constexpr std::uint32_t kVersion2 = 0x100;
constexpr std::uint32_t kVendor = 0x400;
constexpr std::uint32_t kWarning = 0x800;
constexpr std::uint32_t kParameter = 0x040;
constexpr std::uint32_t kSession = 0x800;
// HRESULTs of the TPM services facility, as TBS has them.
constexpr std::uint32_t kFacilityMask = 0xFFFF0000;
constexpr std::uint32_t kFacilityTpm = 0x80280000;
constexpr std::uint32_t kFacilityTbs = 0x80284000;

constexpr std::uint16_t kTagsTpm12First = 0x00C4;
constexpr std::uint16_t kTagsTpm12Last = 0x00C6;

RcText unknown(std::string_view why) {
  return {.name = "unknown code", .where = "", .text = std::string(why)};
}

RcText from_row(const RcRow* row, std::string_view otherwise) {
  if (row == nullptr) return unknown(otherwise);
  return {.name = std::string(row->name), .where = "", .text = std::string(row->text)};
}

std::string numbered(std::string_view what, std::uint32_t number) {
  return std::string(what) + (number == 0 ? "" : " " + std::to_string(number));
}

// Bits 8 to 11 say which handle, session or parameter; 0 says none in particular.
std::string place_of_format1(std::uint32_t code) {
  const std::uint32_t number = code >> 8 & 0xFU;
  if ((code & kParameter) != 0) return number == 0 ? "" : numbered("parameter", number);
  if ((code & kSession) != 0) return numbered("session", number & 0x7U);
  return number == 0 ? "" : numbered("handle", number);
}

RcText describe_format1(std::uint32_t code) {
  RcText rc = from_row(find_row(format1_rows(), code & 0x3FU),
                       "not in the tables of TPM 2.0 codes (format 1)");
  rc.where = place_of_format1(code);
  return rc;
}

RcText describe_format0(std::uint32_t code) {
  if ((code & kVendor) != 0) {
    return {.name = "vendor code", .where = "", .text = "defined by the maker of the TPM"};
  }
  const bool warning = (code & kWarning) != 0;
  return from_row(find_row(warning ? warning_rows() : format0_rows(), code & 0x7FU),
                  "not in the tables of TPM 2.0 codes (format 0)");
}

// A code without bits 16 to 31.
RcText describe_tpm20_code(std::uint32_t code) {
  if (code == 0) return {.name = "TPM_RC_SUCCESS", .where = "", .text = "success"};
  if ((code & 0xF000U) != 0) return unknown("not a TPM 2.0 code");
  if ((code & kFormat1) != 0) return describe_format1(code);
  if ((code & kVersion2) != 0) return describe_format0(code);
  return describe_tpm12(code);
}

// Software layers carry a TPM code as it is, or one of the TSS's own.
RcText describe_layered(std::uint32_t layer, std::uint32_t code) {
  const RcRow* const row = find_row(layer_rows(), layer);
  if (row == nullptr) return unknown("from software layer " + std::to_string(layer));
  const RcRow* const base = find_row(tss_base_rows(), code);
  RcText rc =
      base == nullptr
          ? describe_tpm20_code(code)
          : RcText{.name = "TSS2_" + std::string(row->name) + "_RC_" + std::string(base->name),
                   .where = "",
                   .text = std::string(base->text)};
  rc.where = std::string(row->text) + (rc.where.empty() ? "" : ", " + rc.where);
  return rc;
}

RcText describe_service(std::uint32_t code) {
  RcText rc;
  if ((code & 0xFFFFFF00U) == kFacilityTbs) {
    const auto status = static_cast<proto::Status>(code);
    rc = {.name = std::string(proto::status_name(status)),
          .where = "",
          .text = std::string(proto::status_text(status))};
  } else if (const RcRow* const row = find_row(service_rows(), code)) {
    rc = from_row(row, "");
  } else {
    rc = describe_tpm20_code(code & 0xFFFFU);
  }
  rc.where = std::string("TBS service") + (rc.where.empty() ? "" : ", " + rc.where);
  return rc;
}

}  // namespace

RcText describe_tpm20(std::uint32_t code) {
  if ((code & kFacilityMask) == kFacilityTpm) return describe_service(code);
  const std::uint32_t layer = code >> 16 & 0xFFU;
  if (code >> 24 != 0) return unknown("not a response code");
  if (layer != 0) return describe_layered(layer, code & 0xFFFFU);
  return describe_tpm20_code(code);
}

RcText describe_tpm12(std::uint32_t code) {
  if (code == 0) return {.name = "TPM_SUCCESS", .where = "", .text = "success"};
  if ((code & kFacilityMask) == kFacilityTpm) return describe_service(code);
  if (const RcRow* const row = find_row(tpm12_rows(), code)) return from_row(row, "");
  if (code < 0x1000 && (code & kVendor) != 0) {
    return {.name = "vendor code", .where = "", .text = "defined by the maker of the TPM"};
  }
  return unknown("not in the table of TPM 1.2 codes");
}

RcText describe_response(const proto::TpmHeader& response) {
  const bool tpm12 = response.tag >= kTagsTpm12First && response.tag <= kTagsTpm12Last;
  return tpm12 ? describe_tpm12(response.code) : describe_tpm20(response.code);
}

std::string rc_line(std::uint32_t code, const RcText& rc) {
  return rc.name + " (" + hex32(code) + ")" + (rc.where.empty() ? "" : ", " + rc.where) + ": " +
         rc.text;
}

}  // namespace tbs::ctl
