#pragma once

// The databases of Secure Boot (UEFI Specification 2.10, "Signature Database"): PK, KEK, db, dbx,
// dbt, dbr, and shim's MokList and MokListX, which have the same layout.

#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// EFI_SIGNATURE_DATA.
struct EfiSignature {
  std::string owner;  // a GUID
  proto::Bytes data;
};

// EFI_SIGNATURE_LIST.
struct EfiSignatureList {
  std::string kind;  // a GUID
  std::vector<EfiSignature> signatures;
};

// Nothing when the bytes are no lists up to their end. Points into them.
std::optional<std::vector<EfiSignatureList>> read_signature_lists(proto::Bytes bytes);

// "3 certificates, 371 SHA-256 hashes"; certificates one by one, hashes counted for each owner.
Description describe_signature_lists(const std::vector<EfiSignatureList>& lists);

// What allowed an image (EV_EFI_VARIABLE_AUTHORITY): one EFI_SIGNATURE_DATA, or a certificate
// alone, as shim logs its own. Nothing for what is neither.
std::optional<Description> describe_authority(proto::Bytes bytes);

}  // namespace tbs::ctl
