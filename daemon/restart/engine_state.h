#pragma once

// What an engine and its guards keep between executions. It is saved and restored while no
// execution is at work.

#include "daemon/base/record.h"
#include "daemon/restart/setting.h"

namespace tbs::restart {

class EngineState {
 public:
  virtual ~EngineState() = default;

  virtual void save(RecordWriter& record) const = 0;
  // When the reader has failed, what was there before may be gone or mixed with it: whoever
  // restores something else next makes it whole.
  virtual void restore(RecordReader& record) = 0;
  virtual void apply(const Setting& setting) = 0;
};

}  // namespace tbs::restart
