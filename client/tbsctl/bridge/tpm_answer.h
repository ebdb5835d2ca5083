#pragma once

// The TPM as programs see it that know no TBS: every command gets a response in the TPM's own
// format and with codes that TPMs have.

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::ctl::bridge {

// The response to a command that was not run, or whose response is lost.
proto::Buffer answer_for(proto::Bytes command, proto::Status why);

// Changes response codes that a TPM of the program's own would not give: a command that policy
// forbids does not exist; the layer that marks codes of the resource manager goes; and an object
// that is not loaded is reported as the TPM reports it.
void adapt_response(proto::Bytes command, proto::Buffer& response);

}  // namespace tbs::ctl::bridge
