#pragma once

// Whether tss2-mu, with which programs read and write parameters, takes one. It knows limits that
// the fields themselves do not show: how long a digest, a key or a list can be.

#include <cstddef>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/tpm/command_schema.h"

namespace tbs::dissect {

// How many of `bytes` tss2-mu takes for a parameter of this type; 0 when it refuses them. Empty for
// types that it does not know.
std::optional<std::size_t> bytes_of_parameter(tpm::ParameterType type, proto::Bytes bytes);

}  // namespace tbs::dissect
