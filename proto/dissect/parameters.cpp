#include "proto/dissect/parameters.h"

#include <algorithm>
#include <array>

#include "proto/dissect/field_words.h"
#include "proto/dissect/parameter_limits.h"
#include "proto/dissect/structures.h"
#include "proto/tpm/constant_names.h"
#include "proto/tpm/constants.h"

namespace tbs::dissect {
namespace {

using T = tpm::ParameterType;
using Inside = void (*)(FieldWriter&);

struct TypeRow {
  T type;
  std::string_view name;
  // The parts of a structure; null for what is told field by field below, or is bytes.
  Inside inside = nullptr;
};

// What stands behind its own size.
constexpr std::array kSizedTypes = {
    TypeRow{T::Auth, "TPM2B_AUTH"},
    TypeRow{T::Data, "TPM2B_DATA"},
    TypeRow{T::Digest, "TPM2B_DIGEST"},
    TypeRow{T::EccParameter, "TPM2B_ECC_PARAMETER"},
    TypeRow{T::EncryptedSecret, "TPM2B_ENCRYPTED_SECRET"},
    TypeRow{T::Event, "TPM2B_EVENT"},
    TypeRow{T::IdObject, "TPM2B_ID_OBJECT"},
    TypeRow{T::Iv, "TPM2B_IV"},
    TypeRow{T::MaxBuffer, "TPM2B_MAX_BUFFER"},
    TypeRow{T::MaxNvBuffer, "TPM2B_MAX_NV_BUFFER"},
    TypeRow{T::Name, "TPM2B_NAME"},
    TypeRow{T::Nonce, "TPM2B_NONCE"},
    TypeRow{T::NvPublic2, "TPM2B_NV_PUBLIC_2"},
    TypeRow{T::Operand, "TPM2B_OPERAND"},
    TypeRow{T::Private, "TPM2B_PRIVATE"},
    TypeRow{T::PublicKeyRsa, "TPM2B_PUBLIC_KEY_RSA"},
    TypeRow{T::SensitiveData, "TPM2B_SENSITIVE_DATA"},
    TypeRow{T::SetCapabilityData, "TPM2B_SET_CAPABILITY_DATA"},
    TypeRow{T::Timeout, "TPM2B_TIMEOUT"},
    TypeRow{T::Attest, "TPM2B_ATTEST", attestation},
    TypeRow{T::CreationData, "TPM2B_CREATION_DATA", creation_data},
    TypeRow{T::EccPoint, "TPM2B_ECC_POINT", ecc_point},
    TypeRow{T::NvPublic, "TPM2B_NV_PUBLIC", nv_public},
    TypeRow{T::Public, "TPM2B_PUBLIC", [](FieldWriter& writer) { public_area(writer); }},
    TypeRow{T::Sensitive, "TPM2B_SENSITIVE", sensitive_area},
    TypeRow{T::SensitiveCreate, "TPM2B_SENSITIVE_CREATE",
            [](FieldWriter& writer) {
              writer.secret(true, [&] {
                sized_bytes(writer, "userAuth", "TPM2B_AUTH");
                sized_bytes(writer, "data", "TPM2B_SENSITIVE_DATA");
              });
            }},
    TypeRow{T::Template, "TPM2B_TEMPLATE", [](FieldWriter& writer) { public_area(writer, true); }},
};

constexpr std::array kStructures = {
    TypeRow{T::AcOutput, "TPMS_AC_OUTPUT",
            [](FieldWriter& writer) {
              writer.number("tag", "TPM_AT", 4);
              writer.number("data", "UINT32", 4);
            }},
    TypeRow{T::AuthTicket, "TPMT_TK_AUTH", ticket},
    TypeRow{T::CapabilityData, "TPMS_CAPABILITY_DATA", capability_data},
    TypeRow{T::Context, "TPMS_CONTEXT", saved_context},
    TypeRow{T::CreationTicket, "TPMT_TK_CREATION", ticket},
    TypeRow{T::CurveDetail, "TPMS_ALGORITHM_DETAIL_ECC", curve_detail},
    TypeRow{T::Hash, "TPMT_HA", hash_value},
    TypeRow{T::HashcheckTicket, "TPMT_TK_HASHCHECK", ticket},
    TypeRow{T::KdfScheme, "TPMT_KDF_SCHEME", kdf_scheme},
    TypeRow{
        T::PublicParms, "TPMT_PUBLIC_PARMS",
        [](FieldWriter& writer) { public_parameters(writer, algorithm_field(writer, "type")); }},
    TypeRow{T::RsaScheme, "TPMT_RSA_DECRYPT", asymmetric_scheme},
    TypeRow{T::Signature, "TPMT_SIGNATURE", signature},
    TypeRow{T::SignatureScheme, "TPMT_SIG_SCHEME", signature_scheme},
    TypeRow{T::Symmetric, "TPMT_SYM_DEF", symmetric_definition},
    TypeRow{T::SymmetricObject, "TPMT_SYM_DEF_OBJECT", symmetric_definition},
    TypeRow{T::TimeInfo, "TPMS_TIME_INFO",
            [](FieldWriter& writer) {
              const auto time = writer.number("time", "UINT64", 8);
              writer.say(milliseconds(time) + " since it was started");
              writer.group("clockInfo", "TPMS_CLOCK_INFO", [&] { clock_info(writer); });
            }},
    TypeRow{T::VerifiedTicket, "TPMT_TK_VERIFIED", ticket},
};

template <std::size_t kCount>
const TypeRow* row_of(const std::array<TypeRow, kCount>& rows, T type) {
  const auto* const row = std::ranges::find(rows, type, &TypeRow::type);
  return row == rows.end() ? nullptr : row;
}

bool always_secret(T type) {
  return type == T::Auth || type == T::SensitiveData;
}

void named_number(FieldWriter& writer, std::string_view name, std::string_view type, unsigned width,
                  std::initializer_list<std::string_view> words) {
  const auto value = writer.number(name, type, width);
  writer.say(name_or_number(value < words.size() ? words.begin()[value] : std::string_view{}, value,
                            width));
}

void clock_adjustment(FieldWriter& writer, std::string_view name) {
  const auto value = static_cast<std::int8_t>(writer.number(name, "TPM_CLOCK_ADJUST", 1));
  writer.say(value == 0 ? "no change" : value < 0 ? "slower" : "faster");
}

void signed_number(FieldWriter& writer, std::string_view name) {
  const auto value = static_cast<std::int32_t>(writer.number(name, "INT32", 4));
  writer.say(std::to_string(value));
}

struct NumberRow {
  T type;
  void (*write)(FieldWriter&, std::string_view name);
};

template <typename Words>
void words_field(FieldWriter& writer, std::string_view name, std::string_view type, unsigned width,
                 Words words) {
  const auto value = static_cast<std::uint32_t>(writer.number(name, type, width));
  writer.say(words(value));
}

constexpr std::array kNumbers = {
    NumberRow{T::YesNo, yes_no_field},
    NumberRow{T::U16, [](FieldWriter& w, std::string_view n) { decimal_field(w, n, "UINT16", 2); }},
    NumberRow{T::U32, [](FieldWriter& w, std::string_view n) { decimal_field(w, n, "UINT32", 4); }},
    NumberRow{T::U64, [](FieldWriter& w, std::string_view n) { decimal_field(w, n, "UINT64", 8); }},
    NumberRow{T::I32, signed_number},
    NumberRow{T::Algorithm, [](FieldWriter& w, std::string_view n) { algorithm_field(w, n); }},
    NumberRow{T::Curve, curve_field},
    NumberRow{T::ClockAdjust, clock_adjustment},
    NumberRow{T::CommandCode, command_code_field},
    NumberRow{T::Handle, [](FieldWriter& w, std::string_view n) { handle_field(w, n); }},
    NumberRow{T::StartupType,
              [](FieldWriter& w, std::string_view n) {
                named_number(w, n, "TPM_SU", 2, {"TPM_SU_CLEAR", "TPM_SU_STATE"});
              }},
    NumberRow{T::SessionType,
              [](FieldWriter& w, std::string_view n) {
                named_number(w, n, "TPM_SE", 1,
                             {"HMAC session", "policy session", "", "trial policy session"});
              }},
    NumberRow{T::Comparison,
              [](FieldWriter& w, std::string_view n) {
                named_number(
                    w, n, "TPM_EO", 2,
                    {"equal", "not equal", "greater, signed", "greater, unsigned", "less, signed",
                     "less, unsigned", "greater or equal, signed", "greater or equal, unsigned",
                     "less or equal, signed", "less or equal, unsigned", "bits set", "bits clear"});
              }},
    NumberRow{T::ResponseCode,
              [](FieldWriter& w, std::string_view n) {
                words_field(w, n, "TPM_RC", 4, [](std::uint32_t code) {
                  return code == TPM2_RC_SUCCESS ? "success" : "an error";
                });
              }},
    NumberRow{T::Capability,
              [](FieldWriter& w, std::string_view n) {
                words_field(w, n, "TPM_CAP", 4, [](std::uint32_t capability) {
                  return name_or_number(tpm::capability_name(capability), capability, 4);
                });
              }},
    NumberRow{T::Locality,
              [](FieldWriter& w, std::string_view n) {
                words_field(w, n, "TPMA_LOCALITY", 1, [](std::uint32_t locality) {
                  return localities(static_cast<std::uint8_t>(locality));
                });
              }},
};

void list_field(FieldWriter& writer, std::string_view name, T type) {
  switch (type) {
    case T::PcrSelections:
      return pcr_selections(writer, name);
    case T::Algorithms:
      return list(writer, name, "TPML_ALG",
                  [&](const std::string& item) { algorithm_field(writer, item); });
    case T::CommandCodes:
      return list(writer, name, "TPML_CC",
                  [&](const std::string& item) { command_code_field(writer, item); });
    case T::Digests:
      return list(writer, name, "TPML_DIGEST",
                  [&](const std::string& item) { sized_bytes(writer, item, "TPM2B_DIGEST"); });
    case T::DigestValues:
      return list(writer, name, "TPML_DIGEST_VALUES", [&](const std::string& item) {
        writer.group(item, "TPMT_HA", [&] { hash_value(writer); });
      });
    default:
      return list(writer, name, "TPML_AC_CAPABILITIES", [&](const std::string& item) {
        writer.group(item, "TPMS_AC_OUTPUT",
                     [&] { row_of(kStructures, T::AcOutput)->inside(writer); });
      });
  }
}

void field_of_type(FieldWriter& writer, std::string_view name, T type) {
  const auto* const number = std::ranges::find(kNumbers, type, &NumberRow::type);
  if (number != kNumbers.end()) return number->write(writer, name);
  if (const TypeRow* const row = row_of(kSizedTypes, type)) {
    if (row->inside == nullptr) return sized_bytes(writer, name, row->name);
    return sized_structure(writer, name, row->name, [&] { row->inside(writer); });
  }
  if (const TypeRow* const row = row_of(kStructures, type)) {
    return writer.group(name, row->name, [&] { row->inside(writer); });
  }
  list_field(writer, name, type);
}

}  // namespace

bool is_sized(T type) {
  return row_of(kSizedTypes, type) != nullptr;
}

void parameter_field(FieldWriter& writer, const tpm::ParameterSchema& parameter) {
  const std::size_t begin = writer.offset();
  const proto::Bytes ahead = writer.ahead();
  writer.secret(parameter.secret || always_secret(parameter.type),
                [&] { field_of_type(writer, parameter.name, parameter.type); });
  const std::size_t size = writer.offset() - begin;
  if (!writer.ok() || size <= 2) return;
  const auto limit = bytes_of_parameter(parameter.type, ahead.first(size));
  if (!limit || *limit == size) return;
  writer.remark_at(begin, std::string(parameter.name) +
                              " is larger, or has other values, than tss2-mu takes for its type");
}

void encrypted_parameter_field(FieldWriter& writer, const tpm::ParameterSchema& parameter) {
  const std::size_t size = writer.size_of(std::string(parameter.name) + ".size", 2);
  const std::size_t before = writer.offset();
  writer.bytes(parameter.name, "", size);
  if (writer.offset() > before) writer.say("encrypted by a session");
}

}  // namespace tbs::dissect
