#include "proto/dissect/structures.h"

#include "proto/dissect/field_words.h"
#include "proto/tpm/constant_names.h"
#include "proto/tpm/constants.h"

namespace tbs::dissect {
namespace {

void unknown_algorithm(FieldWriter& writer, std::uint16_t algorithm, std::string_view type) {
  if (!writer.ok()) return;
  const std::string_view name = tpm::algorithm_name(algorithm);
  writer.fault((name.empty() ? hex_number(algorithm, 2) : std::string(name)) +
               " is no algorithm that a " + std::string(type) + " can have");
}

// What stands behind the name of a scheme, for all of them.
void scheme_details(FieldWriter& writer, std::uint16_t scheme, std::string_view type) {
  switch (scheme) {
    case TPM2_ALG_NULL:
    case TPM2_ALG_RSAES:
      return;
    case TPM2_ALG_ECDAA:
      algorithm_field(writer, "hashAlg");
      decimal_field(writer, "count", "UINT16", 2);
      return;
    case TPM2_ALG_XOR:
      algorithm_field(writer, "hashAlg");
      algorithm_field(writer, "kdf");
      return;
    case TPM2_ALG_RSASSA:
    case TPM2_ALG_RSAPSS:
    case TPM2_ALG_OAEP:
    case TPM2_ALG_ECDSA:
    case TPM2_ALG_SM2:
    case TPM2_ALG_ECSCHNORR:
    case TPM2_ALG_ECDH:
    case TPM2_ALG_ECMQV:
    case TPM2_ALG_HMAC:
    case TPM2_ALG_MGF1:
    case TPM2_ALG_KDF1_SP800_56A:
    case TPM2_ALG_KDF2:
    case TPM2_ALG_KDF1_SP800_108:
      algorithm_field(writer, "hashAlg");
      return;
    default:
      unknown_algorithm(writer, scheme, type);
  }
}

void scheme_of(FieldWriter& writer, std::string_view type) {
  const std::uint16_t scheme = algorithm_field(writer, "scheme");
  if (writer.ok()) scheme_details(writer, scheme, type);
}

void digest_of(FieldWriter& writer, std::uint16_t algorithm) {
  if (!writer.ok() || algorithm == TPM2_ALG_NULL) return;
  const std::size_t size = tpm::digest_size(algorithm);
  if (size == 0) {
    unknown_algorithm(writer, algorithm, "TPMT_HA");
  } else {
    writer.bytes("digest", "", size);
  }
}

void certified(FieldWriter& writer, std::uint16_t type) {
  switch (type) {
    case TPM2_ST_ATTEST_CERTIFY:
      sized_bytes(writer, "name", "TPM2B_NAME");
      return sized_bytes(writer, "qualifiedName", "TPM2B_NAME");
    case TPM2_ST_ATTEST_QUOTE:
      pcr_selections(writer, "pcrSelect");
      return sized_bytes(writer, "pcrDigest", "TPM2B_DIGEST");
    case TPM2_ST_ATTEST_SESSION_AUDIT:
      yes_no_field(writer, "exclusiveSession");
      return sized_bytes(writer, "sessionDigest", "TPM2B_DIGEST");
    case TPM2_ST_ATTEST_COMMAND_AUDIT:
      decimal_field(writer, "auditCounter", "UINT64", 8);
      algorithm_field(writer, "digestAlg");
      sized_bytes(writer, "auditDigest", "TPM2B_DIGEST");
      return sized_bytes(writer, "commandDigest", "TPM2B_DIGEST");
    case TPM2_ST_ATTEST_TIME:
      decimal_field(writer, "time", "UINT64", 8);
      clock_info(writer);
      writer.number("firmwareVersion", "UINT64", 8);
      return;
    case TPM2_ST_ATTEST_CREATION:
      sized_bytes(writer, "objectName", "TPM2B_NAME");
      return sized_bytes(writer, "creationHash", "TPM2B_DIGEST");
    case TPM2_ST_ATTEST_NV:
      sized_bytes(writer, "indexName", "TPM2B_NAME");
      decimal_field(writer, "offset", "UINT16", 2);
      return writer.secret(true, [&] { sized_bytes(writer, "nvContents", "TPM2B_MAX_NV_BUFFER"); });
    default:
      writer.opaque("attested", "of a kind that is not known here");
  }
}

}  // namespace

std::uint16_t algorithm_field(FieldWriter& writer, std::string_view name, std::string_view type) {
  const auto algorithm = static_cast<std::uint16_t>(writer.number(name, type, 2));
  writer.say(name_or_number(tpm::algorithm_name(algorithm), algorithm, 2));
  return algorithm;
}

std::uint32_t handle_field(FieldWriter& writer, std::string_view name, std::string_view type) {
  const auto handle = static_cast<std::uint32_t>(writer.number(name, type, 4));
  writer.say(handle_words(handle));
  return handle;
}

void decimal_field(FieldWriter& writer, std::string_view name, std::string_view type,
                   unsigned width) {
  const auto value = writer.number(name, type, width);
  writer.say(std::to_string(value));
}

void yes_no_field(FieldWriter& writer, std::string_view name) {
  const auto value = writer.number(name, "TPMI_YES_NO", 1);
  writer.say(value == TPM2_YES ? "yes" : "no");
  if (value > TPM2_YES) writer.fault(std::string(name) + " is neither 0 nor 1");
}

void curve_field(FieldWriter& writer, std::string_view name) {
  const auto curve = static_cast<std::uint16_t>(writer.number(name, "TPM_ECC_CURVE", 2));
  writer.say(name_or_number(tpm::curve_name(curve), curve, 2));
}

void command_code_field(FieldWriter& writer, std::string_view name) {
  writer.say(command_words(static_cast<std::uint32_t>(writer.number(name, "TPM_CC", 4))));
}

void tag_field(FieldWriter& writer, std::string_view name) {
  const auto tag = static_cast<std::uint16_t>(writer.number(name, "TPM_ST", 2));
  writer.say(name_or_number(tpm::structure_tag_name(tag), tag, 2));
}

void sized_bytes(FieldWriter& writer, std::string_view name, std::string_view type) {
  const std::size_t size = writer.size_of(std::string(name) + ".size", 2);
  writer.bytes(name, type, size);
}

void symmetric_definition(FieldWriter& writer) {
  const std::uint16_t algorithm = algorithm_field(writer, "algorithm");
  if (!writer.ok()) return;
  switch (algorithm) {
    case TPM2_ALG_NULL:
      return;
    case TPM2_ALG_XOR:
      algorithm_field(writer, "keyBits", "TPMI_ALG_HASH");
      return;
    case TPM2_ALG_AES:
    case TPM2_ALG_SM4:
    case TPM2_ALG_CAMELLIA:
    case TPM2_ALG_TDES:
      decimal_field(writer, "keyBits", "TPM_KEY_BITS", 2);
      algorithm_field(writer, "mode");
      return;
    default:
      unknown_algorithm(writer, algorithm, "TPMT_SYM_DEF");
  }
}

void signature_scheme(FieldWriter& writer) {
  scheme_of(writer, "TPMT_SIG_SCHEME");
}
void asymmetric_scheme(FieldWriter& writer) {
  scheme_of(writer, "TPMT_ASYM_SCHEME");
}
void kdf_scheme(FieldWriter& writer) {
  scheme_of(writer, "TPMT_KDF_SCHEME");
}

void public_parameters(FieldWriter& writer, std::uint16_t type) {
  if (!writer.ok()) return;
  const auto part = [&](std::string_view name, std::string_view kind, auto inside) {
    writer.group(name, kind, [&] { inside(writer); });
  };
  switch (type) {
    case TPM2_ALG_RSA:
      part("symmetric", "TPMT_SYM_DEF_OBJECT", symmetric_definition);
      part("scheme", "TPMT_RSA_SCHEME", asymmetric_scheme);
      decimal_field(writer, "keyBits", "TPMI_RSA_KEY_BITS", 2);
      if (writer.number("exponent", "UINT32", 4) == 0) writer.say("65537, the default");
      return;
    case TPM2_ALG_ECC:
      part("symmetric", "TPMT_SYM_DEF_OBJECT", symmetric_definition);
      part("scheme", "TPMT_ECC_SCHEME", asymmetric_scheme);
      curve_field(writer, "curveID");
      return part("kdf", "TPMT_KDF_SCHEME", kdf_scheme);
    case TPM2_ALG_KEYEDHASH:
      return part("scheme", "TPMT_KEYEDHASH_SCHEME", asymmetric_scheme);
    case TPM2_ALG_SYMCIPHER:
      return part("sym", "TPMT_SYM_DEF_OBJECT", symmetric_definition);
    default:
      unknown_algorithm(writer, type, "TPMT_PUBLIC_PARMS");
  }
}

void public_area(FieldWriter& writer, bool template_of_derived) {
  const std::uint16_t type = algorithm_field(writer, "type", "TPMI_ALG_PUBLIC");
  algorithm_field(writer, "nameAlg", "TPMI_ALG_HASH");
  const auto attributes = writer.number("objectAttributes", "TPMA_OBJECT", 4);
  writer.say(object_attributes(static_cast<std::uint32_t>(attributes)));
  sized_bytes(writer, "authPolicy", "TPM2B_DIGEST");
  if (!writer.ok()) return;
  writer.group("parameters", "TPMU_PUBLIC_PARMS", [&] { public_parameters(writer, type); });
  if (!writer.ok()) return;
  if (type == TPM2_ALG_ECC) {
    writer.group("unique", "TPMS_ECC_POINT", [&] { ecc_point(writer); });
  } else {
    sized_bytes(writer, "unique", type == TPM2_ALG_RSA ? "TPM2B_PUBLIC_KEY_RSA" : "TPM2B_DIGEST");
    // Of an object that is derived from its parent: a label, and this.
    if (template_of_derived && writer.left() > 0) sized_bytes(writer, "context", "TPM2B_LABEL");
  }
}

void signature(FieldWriter& writer) {
  const std::uint16_t algorithm = algorithm_field(writer, "sigAlg");
  if (!writer.ok() || algorithm == TPM2_ALG_NULL) return;
  switch (algorithm) {
    case TPM2_ALG_HMAC:
      return hash_value(writer);
    case TPM2_ALG_RSASSA:
    case TPM2_ALG_RSAPSS:
      algorithm_field(writer, "hash");
      return sized_bytes(writer, "sig", "TPM2B_PUBLIC_KEY_RSA");
    case TPM2_ALG_ECDSA:
    case TPM2_ALG_ECDAA:
    case TPM2_ALG_SM2:
    case TPM2_ALG_ECSCHNORR:
      algorithm_field(writer, "hash");
      sized_bytes(writer, "signatureR", "TPM2B_ECC_PARAMETER");
      return sized_bytes(writer, "signatureS", "TPM2B_ECC_PARAMETER");
    default:
      unknown_algorithm(writer, algorithm, "TPMT_SIGNATURE");
  }
}

void sensitive_area(FieldWriter& writer) {
  algorithm_field(writer, "sensitiveType", "TPMI_ALG_PUBLIC");
  writer.secret(true, [&] {
    sized_bytes(writer, "authValue", "TPM2B_AUTH");
    sized_bytes(writer, "seedValue", "TPM2B_DIGEST");
    sized_bytes(writer, "sensitive", "TPM2B_PRIVATE_VENDOR_SPECIFIC");
  });
}

void creation_data(FieldWriter& writer) {
  pcr_selections(writer, "pcrSelect");
  sized_bytes(writer, "pcrDigest", "TPM2B_DIGEST");
  const auto locality = writer.number("locality", "TPMA_LOCALITY", 1);
  writer.say(localities(static_cast<std::uint8_t>(locality)));
  algorithm_field(writer, "parentNameAlg");
  sized_bytes(writer, "parentName", "TPM2B_NAME");
  sized_bytes(writer, "parentQualifiedName", "TPM2B_NAME");
  sized_bytes(writer, "outsideInfo", "TPM2B_DATA");
}

void attestation(FieldWriter& writer) {
  const auto magic = writer.number("magic", "TPM_CONSTANTS32", 4);
  if (magic == TPM2_GENERATED_VALUE) writer.say("TPM_GENERATED_VALUE: a TPM has made this");
  if (writer.ok() && magic != TPM2_GENERATED_VALUE) {
    writer.fault("magic is not TPM_GENERATED_VALUE (0xFF544347): no TPM has made this");
  }
  const auto type = static_cast<std::uint16_t>(writer.number("type", "TPMI_ST_ATTEST", 2));
  writer.say(name_or_number(tpm::structure_tag_name(type), type, 2));
  sized_bytes(writer, "qualifiedSigner", "TPM2B_NAME");
  sized_bytes(writer, "extraData", "TPM2B_DATA");
  writer.group("clockInfo", "TPMS_CLOCK_INFO", [&] { clock_info(writer); });
  writer.number("firmwareVersion", "UINT64", 8);
  writer.group("attested", "TPMU_ATTEST", [&] {
    if (writer.ok()) certified(writer, type);
  });
}

void nv_public(FieldWriter& writer) {
  handle_field(writer, "nvIndex", "TPMI_RH_NV_INDEX");
  algorithm_field(writer, "nameAlg", "TPMI_ALG_HASH");
  const auto attributes = writer.number("attributes", "TPMA_NV", 4);
  writer.say(nv_attributes(static_cast<std::uint32_t>(attributes)));
  sized_bytes(writer, "authPolicy", "TPM2B_DIGEST");
  decimal_field(writer, "dataSize", "UINT16", 2);
}

void ecc_point(FieldWriter& writer) {
  sized_bytes(writer, "x", "TPM2B_ECC_PARAMETER");
  sized_bytes(writer, "y", "TPM2B_ECC_PARAMETER");
}

void hash_value(FieldWriter& writer) {
  digest_of(writer, algorithm_field(writer, "hashAlg", "TPMI_ALG_HASH"));
}

void ticket(FieldWriter& writer) {
  tag_field(writer, "tag");
  handle_field(writer, "hierarchy", "TPMI_RH_HIERARCHY");
  sized_bytes(writer, "digest", "TPM2B_DIGEST");
}

void clock_info(FieldWriter& writer) {
  const auto clock = writer.number("clock", "UINT64", 8);
  writer.say(milliseconds(clock) + " in use");
  decimal_field(writer, "resetCount", "UINT32", 4);
  decimal_field(writer, "restartCount", "UINT32", 4);
  yes_no_field(writer, "safe");
}

void curve_detail(FieldWriter& writer) {
  curve_field(writer, "curveID");
  decimal_field(writer, "keySize", "UINT16", 2);
  writer.group("kdf", "TPMT_KDF_SCHEME", [&] { kdf_scheme(writer); });
  writer.group("sign", "TPMT_ECC_SCHEME", [&] { asymmetric_scheme(writer); });
  for (const std::string_view name : {"p", "a", "b", "gX", "gY", "n", "h"}) {
    sized_bytes(writer, name, "TPM2B_ECC_PARAMETER");
  }
}

void saved_context(FieldWriter& writer) {
  decimal_field(writer, "sequence", "UINT64", 8);
  const auto saved = static_cast<std::uint32_t>(writer.number("savedHandle", "TPMI_DH_SAVED", 4));
  writer.say(saved == tpm::kSavedObject          ? "an object"
             : saved == tpm::kSavedSequence      ? "a sequence of a hash or HMAC"
             : saved == tpm::kSavedStClearObject ? "an object that a TPM2_Startup(CLEAR) ends"
                                                 : handle_words(saved));
  handle_field(writer, "hierarchy", "TPMI_RH_HIERARCHY");
  sized_bytes(writer, "contextBlob", "TPM2B_CONTEXT_DATA");
}

void pcr_selections(FieldWriter& writer, std::string_view name) {
  list(writer, name, "TPML_PCR_SELECTION", [&](const std::string& item) {
    writer.group(item, "TPMS_PCR_SELECTION", [&] {
      algorithm_field(writer, "hash", "TPMI_ALG_HASH");
      const std::size_t size = writer.size_of("sizeofSelect", 1);
      const auto bits = writer.ahead();
      writer.bytes("pcrSelect", "", size);
      if (writer.ok()) writer.say(pcr_numbers(bits.first(size)));
    });
  });
}

}  // namespace tbs::dissect
