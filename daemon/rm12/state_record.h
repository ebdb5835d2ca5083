#pragma once

// What the resource manager knows, as a record that another process can go on from. It holds no
// execution: it is made and taken while none is at work.

#include "daemon/base/record.h"
#include "daemon/rm12/state.h"

namespace tbs::rm12 {

void save(const State& state, RecordWriter& record);

// `state` must be new. When the reader has failed it is of no use.
void restore(State& state, RecordReader& record);

}  // namespace tbs::rm12
