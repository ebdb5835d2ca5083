#include "proto/dissect/field_words.h"

#include <array>
#include <span>

#include "proto/command_names.h"
#include "proto/tpm/constant_names.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"

namespace tbs::dissect {
namespace {

struct AttributeBit {
  std::uint32_t bit;
  std::string_view name;
};

constexpr std::array kObjectBits = {
    AttributeBit{TPMA_OBJECT_FIXEDTPM, "fixedTPM"},
    AttributeBit{TPMA_OBJECT_STCLEAR, "stClear"},
    AttributeBit{TPMA_OBJECT_FIXEDPARENT, "fixedParent"},
    AttributeBit{TPMA_OBJECT_SENSITIVEDATAORIGIN, "sensitiveDataOrigin"},
    AttributeBit{TPMA_OBJECT_USERWITHAUTH, "userWithAuth"},
    AttributeBit{TPMA_OBJECT_ADMINWITHPOLICY, "adminWithPolicy"},
    AttributeBit{TPMA_OBJECT_NODA, "noDA"},
    AttributeBit{TPMA_OBJECT_ENCRYPTEDDUPLICATION, "encryptedDuplication"},
    AttributeBit{TPMA_OBJECT_RESTRICTED, "restricted"},
    AttributeBit{TPMA_OBJECT_DECRYPT, "decrypt"},
    AttributeBit{TPMA_OBJECT_SIGN_ENCRYPT, "sign/encrypt"},
    AttributeBit{TPMA_OBJECT_X509SIGN, "x509sign"},
};

constexpr std::array kNvBits = {
    AttributeBit{TPMA_NV_PPWRITE, "ppWrite"},
    AttributeBit{TPMA_NV_OWNERWRITE, "ownerWrite"},
    AttributeBit{TPMA_NV_AUTHWRITE, "authWrite"},
    AttributeBit{TPMA_NV_POLICYWRITE, "policyWrite"},
    AttributeBit{TPMA_NV_POLICY_DELETE, "policyDelete"},
    AttributeBit{TPMA_NV_WRITELOCKED, "writeLocked"},
    AttributeBit{TPMA_NV_WRITEALL, "writeAll"},
    AttributeBit{TPMA_NV_WRITEDEFINE, "writeDefine"},
    AttributeBit{TPMA_NV_WRITE_STCLEAR, "writeStClear"},
    AttributeBit{TPMA_NV_GLOBALLOCK, "globalLock"},
    AttributeBit{TPMA_NV_PPREAD, "ppRead"},
    AttributeBit{TPMA_NV_OWNERREAD, "ownerRead"},
    AttributeBit{TPMA_NV_AUTHREAD, "authRead"},
    AttributeBit{TPMA_NV_POLICYREAD, "policyRead"},
    AttributeBit{TPMA_NV_NO_DA, "noDA"},
    AttributeBit{TPMA_NV_ORDERLY, "orderly"},
    AttributeBit{TPMA_NV_CLEAR_STCLEAR, "clearStClear"},
    AttributeBit{TPMA_NV_READLOCKED, "readLocked"},
    AttributeBit{TPMA_NV_WRITTEN, "written"},
    AttributeBit{TPMA_NV_PLATFORMCREATE, "platformCreate"},
    AttributeBit{TPMA_NV_READ_STCLEAR, "readStClear"},
};

constexpr std::array kAlgorithmBits = {
    AttributeBit{TPMA_ALGORITHM_ASYMMETRIC, "asymmetric"},
    AttributeBit{TPMA_ALGORITHM_SYMMETRIC, "symmetric"},
    AttributeBit{TPMA_ALGORITHM_HASH, "hash"},
    AttributeBit{TPMA_ALGORITHM_OBJECT, "object"},
    AttributeBit{TPMA_ALGORITHM_SIGNING, "signing"},
    AttributeBit{TPMA_ALGORITHM_ENCRYPTING, "encrypting"},
    AttributeBit{TPMA_ALGORITHM_METHOD, "method"},
};

constexpr std::array kSessionBits = {
    AttributeBit{TPMA_SESSION_CONTINUESESSION, "continueSession: it goes on after the command"},
    AttributeBit{TPMA_SESSION_AUDITEXCLUSIVE, "auditExclusive: no other command was in between"},
    AttributeBit{TPMA_SESSION_AUDITRESET, "auditReset: its audit digest begins anew"},
    AttributeBit{TPMA_SESSION_DECRYPT, "decrypt: the first parameter of the command is encrypted"},
    AttributeBit{TPMA_SESSION_ENCRYPT, "encrypt: the first parameter of the response is encrypted"},
    AttributeBit{TPMA_SESSION_AUDIT, "audit: the command goes into its audit digest"},
};

constexpr std::array<std::string_view, 16> kNvTypes = {
    "ordinary", "counter", "bit field", "", "extend", "", "", "", "PIN fail", "PIN pass"};

void append(std::string& list, std::string_view separator, std::string_view item) {
  if (!list.empty()) list += separator;
  list += item;
}

std::string bits_in(std::span<const AttributeBit> table, std::uint32_t value,
                    std::string_view separator) {
  std::string list;
  for (const AttributeBit& row : table) {
    if ((value & row.bit) != 0) append(list, separator, row.name);
  }
  return list;
}

// Four letters in a word, as makers put their names; empty when they are no letters.
std::string letters_of(std::uint32_t value) {
  std::string text;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    const auto letter = static_cast<unsigned char>(value >> (shift - 8));
    if (letter == 0) continue;
    if (letter < ' ' || letter > '~') return "";
    text += static_cast<char>(letter);
  }
  return text;
}

std::string in_range(std::string_view what, std::uint32_t handle) {
  return std::string(what) + " " + hex_number(handle, 4);
}

}  // namespace

std::string count_of(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string hex_number(std::uint64_t value, unsigned width) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = "0x";
  for (unsigned shift = width * 8; shift > 0; shift -= 4) out += kDigits[value >> (shift - 4) & 15];
  return out;
}

std::string name_or_number(std::string_view name, std::uint64_t number, unsigned width) {
  return name.empty() ? hex_number(number, width) + ", which is not known here" : std::string(name);
}

std::string handle_words(std::uint32_t handle) {
  switch (tpm::handle_type(handle)) {
    case tpm::HandleType::Pcr:
      return "PCR " + std::to_string(handle);
    case tpm::HandleType::NvIndex:
      return in_range("NV index", handle);
    case tpm::HandleType::HmacSession:
      return in_range("HMAC session", handle);
    case tpm::HandleType::PolicySession:
      return in_range("policy session", handle);
    case tpm::HandleType::Transient:
      return in_range("transient object", handle);
    case tpm::HandleType::Persistent:
      return in_range("persistent object", handle);
    case tpm::HandleType::Permanent:
      break;
  }
  if (const auto name = tpm::permanent_handle_name(handle); !name.empty()) {
    return std::string(name);
  }
  const std::uint32_t hierarchy = tpm::hierarchy_of(handle);
  if (hierarchy != handle) {
    return std::string(tpm::permanent_handle_name(hierarchy)) + ", limited to a firmware";
  }
  return "a handle of no kind that is known here";
}

std::string handle12_words(std::uint32_t handle) {
  constexpr std::array<std::string_view, 7> kReserved = {
      "the storage root key", "the owner",         "the revocation of trust", "a transport session",
      "the operator",         "the administrator", "the endorsement key"};
  if (!tpm12::is_reserved(handle)) return in_range("handle", handle);
  const std::uint32_t number = handle & 0xFFFFFFU;
  return number < kReserved.size() ? std::string(kReserved[number]) : "a reserved handle";
}

std::string command_words(std::uint32_t code) {
  if (const auto name = proto::command_name(code); !name.empty()) {
    return "TPM2_" + std::string(name);
  }
  if ((code & tpm::cc::kVendorBit) != 0) return "a command of the maker of the TPM";
  return "no command that is known here";
}

std::string object_attributes(std::uint32_t attributes) {
  return bits_in(kObjectBits, attributes, ", ");
}

std::string nv_attributes(std::uint32_t attributes) {
  const std::string_view type = kNvTypes[(attributes & TPMA_NV_TPM2_NT_MASK) >> 4];
  std::string text(type.empty() ? "of an unknown type" : type);
  if (const auto bits = bits_in(kNvBits, attributes, ", "); !bits.empty()) {
    append(text, ", ", bits);
  }
  return text;
}

std::string algorithm_attributes(std::uint32_t attributes) {
  return bits_in(kAlgorithmBits, attributes, ", ");
}

std::string session_attributes(std::uint8_t attributes) {
  const std::string text = bits_in(kSessionBits, attributes, "; ");
  return text.empty() ? "none: the session ends with the command" : text;
}

std::string localities(std::uint8_t locality) {
  if (locality >= 32) return "locality " + std::to_string(locality);
  std::string list;
  for (unsigned i = 0; i < 5; ++i) {
    if ((locality >> i & 1) != 0) append(list, ", ", std::to_string(i));
  }
  return list.empty() ? "no locality" : "locality " + list;
}

std::string command_attributes(std::uint32_t attributes) {
  const std::uint32_t code = attributes & (TPMA_CC_COMMANDINDEX_MASK | tpm::cc::kVendorBit);
  const std::uint32_t handles = (attributes & TPMA_CC_CHANDLES_MASK) >> TPMA_CC_CHANDLES_SHIFT;
  return command_words(code) + ", " + count_of(handles, "handle") +
         ((attributes & TPMA_CC_RHANDLE) != 0 ? ", returns one" : "");
}

std::string pcr_numbers(proto::Bytes bits) {
  std::string list;
  for (std::size_t i = 0; i < bits.size() * 8; ++i) {
    if ((bits[i / 8] >> i % 8 & 1) != 0) append(list, ", ", std::to_string(i));
  }
  return list.empty() ? "no PCR" : "PCR " + list;
}

std::string property_value(std::uint32_t property, std::uint32_t value) {
  std::string text = name_or_number(tpm::property_name(property), property, 4) + ": ";
  const bool word = property == TPM2_PT_FAMILY_INDICATOR || property == TPM2_PT_MANUFACTURER ||
                    (property >= TPM2_PT_VENDOR_STRING_1 && property <= TPM2_PT_VENDOR_STRING_4);
  const std::string letters = word ? letters_of(value) : "";
  return text + (letters.empty() ? std::to_string(value) : "\"" + letters + "\"");
}

std::string milliseconds(std::uint64_t value) {
  const std::uint64_t seconds = value / 1000;
  std::string text;
  if (seconds >= 86400) text = std::to_string(seconds / 86400) + " d ";
  if (seconds >= 3600) text += std::to_string(seconds / 3600 % 24) + " h ";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + " min ";
  return text + std::to_string(seconds % 60) + " s";
}

}  // namespace tbs::dissect
