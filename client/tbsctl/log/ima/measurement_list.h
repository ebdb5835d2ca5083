#pragma once

// The kernel's list of files that IMA measured (security/ima/binary_runtime_measurements and
// ascii_runtime_measurements of securityfs; kernel documentation "IMA Template Management
// Mechanism"). Integers are little-endian: those of a machine that is, and of all with
// ima_canonical_fmt.

#include <cstdint>
#include <vector>

#include "client/tbsctl/log/later_log.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// TPM_ALG_IDs of the banks whose digests are wanted.
using ImaBanks = std::vector<std::uint16_t>;

// Of either form.
LaterLog read_ima_list(proto::Bytes bytes, const ImaBanks& banks);

// One entry, whichever form it was read from. Points into the list.
struct ImaEntry {
  std::uint32_t pcr = 0;
  proto::Buffer digest;       // of the template's data, SHA-1 as a rule
  std::string template_name;  // "ima-ng"
  proto::Buffer hashed;       // what the digests are of; empty where that is not known
  proto::Bytes data;          // of the template; empty when it was read as text
  std::string text;           // what is in it, when it was read as text
};

// What the TPM was extended by for the entry, in each bank.
std::vector<LaterDigest> ima_digests(const ImaEntry& entry, const ImaBanks& banks);

}  // namespace tbs::ctl
