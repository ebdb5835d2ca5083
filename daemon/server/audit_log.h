#pragma once

// Where the server's audit is written: the journal, or the log.

#include <string>

#include "daemon/host/audit.h"

namespace tbs::server {

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual void write(spdlog::level::level_enum level, proto::Event event,
                     const host::AuditFields& fields, const std::string& text) = 0;
};

}  // namespace tbs::server
