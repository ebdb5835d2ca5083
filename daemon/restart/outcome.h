#pragma once

// What came of an input, as it stands in the log. Of bytes only their fingerprint does: what was
// sent to the TPM is made again by telling the input again, and only has to be the same.

#include <memory>

#include "daemon/base/record.h"
#include "daemon/exec/execution.h"

namespace tbs::restart {

void note(const exec::Step& step, RecordWriter& record);
void note(proto::Status status, RecordWriter& record);
void note(const std::unique_ptr<exec::Execution>& made, RecordWriter& record);

}  // namespace tbs::restart
