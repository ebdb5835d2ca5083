#pragma once

// IMA's list as bytes.

#include <string>
#include <vector>

#include "client/tbsctl/log/ima/measurement_list.h"

namespace tbs::ctl {

struct ImaEntries {
  std::vector<ImaEntry> entries;
  std::string fault;  // why it could not be read to its end
};

// With template digests of that many bytes: 20, or more in the lists that newer kernels keep for
// other algorithms.
ImaEntries read_binary_list(proto::Bytes bytes, std::size_t digest_size);

}  // namespace tbs::ctl
