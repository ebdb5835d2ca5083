#pragma once

// Parameters of TPM 2.0 commands and responses, by their types.

#include "proto/dissect/field_writer.h"
#include "proto/tpm/command_schema.h"

namespace tbs::dissect {

void parameter_field(FieldWriter& writer, const tpm::ParameterSchema& parameter);
// The first parameter, where a session encrypts it: its size is in the clear.
void encrypted_parameter_field(FieldWriter& writer, const tpm::ParameterSchema& parameter);

// Whether the type begins with a size, as those do that a session can encrypt.
bool is_sized(tpm::ParameterType type);

}  // namespace tbs::dissect
