#pragma once

// The TPM's nodes in /dev: who may open them, and who has.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/doctor/finding.h"

namespace tbs::ctl {

struct Node {
  std::string path;  // "/dev/tpm0", "/dev/tpmrm0"
  std::uint32_t mode = 0;
  std::string owner;  // "tss:tbs"
};

struct NodeHolder {
  std::string path;
  std::string pid;
  std::string name;
};

struct NodeFacts {
  std::vector<Node> nodes;
  bool sees_all = false;  // whether the descriptors of all processes could be looked at
  std::vector<NodeHolder> holders;
  // Processes that keep the TPM as long as they run, by name.
  std::vector<NodeHolder> suspects;
  bool device_works = false;  // tbsd has it open, and its TPM is ready
  std::optional<std::string>
      device;  // of tbsd: "/dev/tpm0", "embedded"; nothing when it does not say
};

// `root` is before /dev and /proc.
NodeFacts node_facts(const std::string& root, std::optional<std::string> device);

Findings check_nodes(const NodeFacts& facts);
Findings check_holders(const NodeFacts& facts);

}  // namespace tbs::ctl
