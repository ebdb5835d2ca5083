#pragma once

// A client's command as bytes, with whom it is for.

#include <array>
#include <memory>

#include "daemon/base/record.h"
#include "daemon/command/client_command.h"

namespace tbs::restart {

// Requesters as bytes. Nearly every command is of somebody who has just sent another one, and what
// a requester consists of never changes.
class RequesterRecords {
 public:
  // Valid until the next call.
  proto::Bytes of(const std::shared_ptr<const Requester>& requester);

 private:
  // Each keeps its requester, so that no other one has the same address.
  struct Entry {
    std::shared_ptr<const Requester> requester;
    proto::Buffer bytes;
  };
  std::array<Entry, 64> entries_;
};

void save(const ClientCommand& command, RequesterRecords& requesters, RecordWriter& record);
// Null when the reader has failed.
SharedCommand restore_command(RecordReader& record);

}  // namespace tbs::restart
