#pragma once

#include "proto/byte_reader.h"

namespace tbs::bench {

// Throws with the response code when the TPM did not do what was asked.
void expect_success(proto::Bytes response, const char* what);

}  // namespace tbs::bench
