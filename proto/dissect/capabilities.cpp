// TPMS_CAPABILITY_DATA: what TPM2_GetCapability returns.

#include "proto/dissect/field_words.h"
#include "proto/dissect/structures.h"
#include "proto/tpm/constant_names.h"
#include "proto/tpm/constants.h"

namespace tbs::dissect {
namespace {

// Assigned by revisions of the library that are newer than some tpm2-tss.
constexpr std::uint32_t kAuthPolicies = 9;
constexpr std::uint32_t kTimers = 10;

void listed_words(FieldWriter& writer, std::string_view type, std::string (*words)(std::uint32_t)) {
  list(writer, "list", type, [&](const std::string& item) {
    writer.say(words(static_cast<std::uint32_t>(writer.number(item, "", 4))));
  });
}

void algorithms(FieldWriter& writer) {
  list(writer, "algorithms", "TPML_ALG_PROPERTY", [&](const std::string& item) {
    writer.group(item, "TPMS_ALG_PROPERTY", [&] {
      algorithm_field(writer, "alg");
      const auto attributes = writer.number("algProperties", "TPMA_ALGORITHM", 4);
      writer.say(algorithm_attributes(static_cast<std::uint32_t>(attributes)));
    });
  });
}

void properties(FieldWriter& writer) {
  list(writer, "tpmProperties", "TPML_TAGGED_TPM_PROPERTY", [&](const std::string& item) {
    writer.group(item, "TPMS_TAGGED_PROPERTY", [&] {
      const auto property = static_cast<std::uint32_t>(writer.number("property", "TPM_PT", 4));
      writer.say(name_or_number(tpm::property_name(property), property, 4));
      const auto value = static_cast<std::uint32_t>(writer.number("value", "UINT32", 4));
      writer.say(property_value(property, value));
    });
  });
}

void pcr_properties(FieldWriter& writer) {
  list(writer, "pcrProperties", "TPML_TAGGED_PCR_PROPERTY", [&](const std::string& item) {
    writer.group(item, "TPMS_TAGGED_PCR_SELECT", [&] {
      writer.number("tag", "TPM_PT_PCR", 4);
      const std::size_t size = writer.size_of("sizeofSelect", 1);
      const auto bits = writer.ahead();
      writer.bytes("pcrSelect", "", size);
      if (writer.ok()) writer.say(pcr_numbers(bits.first(size)));
    });
  });
}

void policies(FieldWriter& writer) {
  list(writer, "authPolicies", "TPML_TAGGED_POLICY", [&](const std::string& item) {
    writer.group(item, "TPMS_TAGGED_POLICY", [&] {
      handle_field(writer, "handle");
      writer.group("policyHash", "TPMT_HA", [&] { hash_value(writer); });
    });
  });
}

void timers(FieldWriter& writer) {
  list(writer, "actData", "TPML_ACT_DATA", [&](const std::string& item) {
    writer.group(item, "TPMS_ACT_DATA", [&] {
      handle_field(writer, "handle");
      decimal_field(writer, "timeout", "UINT32", 4);
      writer.number("attributes", "TPMA_ACT", 4);
    });
  });
}

void data_of(FieldWriter& writer, std::uint32_t capability) {
  switch (capability) {
    case TPM2_CAP_ALGS:
      return algorithms(writer);
    case TPM2_CAP_HANDLES:
      return listed_words(writer, "TPML_HANDLE", handle_words);
    case TPM2_CAP_COMMANDS:
      return listed_words(writer, "TPML_CCA", command_attributes);
    case TPM2_CAP_PP_COMMANDS:
    case TPM2_CAP_AUDIT_COMMANDS:
      return listed_words(writer, "TPML_CC", command_words);
    case TPM2_CAP_PCRS:
      return pcr_selections(writer, "assignedPCR");
    case TPM2_CAP_TPM_PROPERTIES:
      return properties(writer);
    case TPM2_CAP_PCR_PROPERTIES:
      return pcr_properties(writer);
    case TPM2_CAP_ECC_CURVES:
      return list(writer, "eccCurves", "TPML_ECC_CURVE",
                  [&](const std::string& item) { curve_field(writer, item); });
    case kAuthPolicies:
      return policies(writer);
    case kTimers:
      return timers(writer);
    default:
      writer.opaque("data", "of a capability that is not known here");
  }
}

}  // namespace

void capability_data(FieldWriter& writer) {
  const auto capability = static_cast<std::uint32_t>(writer.number("capability", "TPM_CAP", 4));
  writer.say(name_or_number(tpm::capability_name(capability), capability, 4));
  if (writer.ok()) data_of(writer, capability);
}

}  // namespace tbs::dissect
