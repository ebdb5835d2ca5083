#include "daemon/host/machine_clock.h"

#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("both clocks run, and a start of the machine has one name", "[host]") {
  const MachineTime first = host::machine_time();
  const MachineTime second = host::machine_time();
  CHECK(first.since_boot > 0);
  CHECK(second.since_boot >= first.since_boot);
  CHECK(first.wall > 1'700'000'000);
  CHECK(host::boot_id() == host::boot_id());
}
