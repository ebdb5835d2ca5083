#pragma once

// X.509 certificates as Secure Boot has them, read by libcrypto.

#include <optional>
#include <string>

#include "proto/byte_reader.h"

namespace tbs::ctl {

struct Certificate {
  std::string subject;  // "CN=Microsoft Corporation UEFI CA 2011,O=...", cut
  std::string issuer;
  std::string not_before;  // "2011-06-27", in UTC
  std::string not_after;
  std::string sha256;  // of the certificate as it is
};

// Nothing when the bytes are no certificate. Its signature is not checked.
std::optional<Certificate> read_certificate(proto::Bytes der);

}  // namespace tbs::ctl
