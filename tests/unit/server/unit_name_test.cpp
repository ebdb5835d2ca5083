#include "daemon/server/unit_name.h"

#include "tests/support/catch2.h"

using namespace tbs::server;

TEST_CASE("the path of the unified hierarchy", "[server]") {
  CHECK(cgroup_path("0::/system.slice/a.service\n") == "/system.slice/a.service");
  CHECK(cgroup_path("12:pids:/x\n1:name=systemd:/y\n0::/z\n") == "/z");
  CHECK(cgroup_path("1:name=systemd:/y\n").empty());
  CHECK(cgroup_path("").empty());
  CHECK(cgroup_path("0::relative\n").empty());
}

TEST_CASE("the unit that owns a control group", "[server]") {
  CHECK(unit_name("/system.slice/backup.service") == "backup.service");
  CHECK(unit_name("/system.slice/system-getty.slice/getty@tty1.service/x") == "getty@tty1.service");
  CHECK(unit_name("/user.slice/user-1000.slice/session-2.scope") == "session-2.scope");
  // A user's own manager can name its groups as it likes: they count as that manager's.
  CHECK(unit_name("/user.slice/user-1000.slice/user@1000.service/app.slice/backup.service") ==
        "user@1000.service");
  // Nor does a name below something that is no slice count.
  CHECK(unit_name("/container/system.slice/backup.service").empty());
  CHECK(unit_name("/").empty());
  CHECK(unit_name("").empty());
}
