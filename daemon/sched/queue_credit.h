#pragma once

// Who has had more than its share of the TPM's time: what a successor of this process must know so
// that a restart gives nobody a new start.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/sched/high_share.h"

namespace tbs::sched {

struct QueueCredit {
  // How far an account's virtual time is ahead of those who wait in a level (fair_turns.h).
  struct Lead {
    std::uint32_t level = 0;
    AccountId account{};
    Duration time{};

    template <typename Record>
    void fields(Record& record) {
      record(level, account, time);
    }
  };
  struct Share {
    AccountId account{};
    HighShare share;

    template <typename Record>
    void fields(Record& record) {
      record(account, share);
    }
  };

  std::vector<Lead> leads;
  std::vector<Share> shares;

  template <typename Record>
  void fields(Record& record) {
    record(leads, shares);
  }
};

}  // namespace tbs::sched
