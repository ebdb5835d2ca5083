#pragma once

// A client's command as bytes, with whom it is for.

#include "daemon/base/record.h"
#include "daemon/command/client_command.h"

namespace tbs::restart {

void save(const ClientCommand& command, RecordWriter& record);
// Null when the reader has failed.
SharedCommand restore_command(RecordReader& record);

}  // namespace tbs::restart
