#include "client/tbsctl/response_code/rc_text.h"

#include "client/tbsctl/response_code/rc_tables.h"
#include "client/tbsctl/text/format.h"
#include "proto/service_codes.h"
#include "proto/status.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"

namespace tbs::ctl {
namespace {

namespace rc = tpm::rc;
namespace service = proto::service;

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
  const std::uint32_t number = (code & rc::kPosition) >> rc::kPositionShift;
  if ((code & rc::kParameter) != 0) return number == 0 ? "" : numbered("parameter", number);
  if ((code & rc::kSession) != 0) return numbered("session", number & 0x7U);
  return number == 0 ? "" : numbered("handle", number);
}

RcText describe_format1(std::uint32_t code) {
  RcText rc = from_row(find_row(format1_rows(), tpm::without_position(code)),
                       "not in the tables of TPM 2.0 codes (format 1)");
  rc.where = place_of_format1(code);
  return rc;
}

RcText describe_format0(std::uint32_t code) {
  if ((code & rc::kVendor) != 0) {
    return {.name = "vendor code", .where = "", .text = "defined by the maker of the TPM"};
  }
  const bool warning = (code & rc::kWarning) != 0;
  return from_row(find_row(warning ? warning_rows() : format0_rows(),
                           code & (rc::kVersion2 | rc::kWarning | rc::kFormatZeroNumber)),
                  "not in the tables of TPM 2.0 codes (format 0)");
}

// A code without bits 16 to 31.
RcText describe_tpm20_code(std::uint32_t code) {
  if (code == 0) return {.name = "TPM_RC_SUCCESS", .where = "", .text = "success"};
  if ((code & 0xF000U) != 0) return unknown("not a TPM 2.0 code");
  if ((code & rc::kFormatOne) != 0) return describe_format1(code);
  if ((code & rc::kVersion2) != 0) return describe_format0(code);
  return describe_tpm12(code);
}

// Software layers carry a TPM code as it is, or one of the TSS's own.
RcText describe_layered(std::uint32_t layer, std::uint32_t code) {
  const RcRow* const row = find_row(layer_rows(), layer);
  if (row == nullptr)
    return unknown("from software layer " + std::to_string(layer >> rc::kLayerShift));
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
  if ((code & service::kTbsMask) == service::kTbs) {
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
  if ((code & service::kFacilityMask) == service::kFacility) return describe_service(code);
  const std::uint32_t layer = code & TSS2_RC_LAYER_MASK;
  if (code >> 24 != 0) return unknown("not a response code");
  if (layer != 0) return describe_layered(layer, code & 0xFFFFU);
  return describe_tpm20_code(code);
}

RcText describe_tpm12(std::uint32_t code) {
  if (code == 0) return {.name = "TPM_SUCCESS", .where = "", .text = "success"};
  if ((code & service::kFacilityMask) == service::kFacility) return describe_service(code);
  if (const RcRow* const row = find_row(tpm12_rows(), code)) return from_row(row, "");
  if (code < 0x1000 && (code & tpm12::rc::kVendorBit) != 0) {
    return {.name = "vendor code", .where = "", .text = "defined by the maker of the TPM"};
  }
  return unknown("not in the table of TPM 1.2 codes");
}

RcText describe_response(const proto::TpmHeader& response) {
  const bool old = response.tag >= tpm12::kTagResponse && response.tag <= tpm12::kTagAuth2Response;
  return old ? describe_tpm12(response.code) : describe_tpm20(response.code);
}

std::string rc_line(std::uint32_t code, const RcText& rc) {
  return rc.name + " (" + hex32(code) + ")" + (rc.where.empty() ? "" : ", " + rc.where) + ": " +
         rc.text;
}

}  // namespace tbs::ctl
