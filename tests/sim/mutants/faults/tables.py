"""What is on the TPM, and what the daemon believes of it."""
from .fault import Fault

FAULTS = [
    Fault("evict what is needed", ("private-tpm", "crash"), "daemon/rm/eviction.cpp",
          [("    if (contains(pins.objects, object)) continue;\n    if (victim == nullptr || goes_before(*object, *victim))",
            "    if (victim == nullptr || goes_before(*victim, *object))")]),
    Fault("flush without saving", ("private-tpm",), "daemon/rm/eviction.cpp",
          [("victim->must_be_saved() ? save(*victim) : flush(*victim)", "flush(*victim)")]),
    Fault("session handles reused", ("tables", "private-tpm", "returns-to-zero"), "daemon/rm/session_table.cpp",
          [("  if (Session* const stale = find(handle)) erase(*stale);\n", "")]),
    Fault("loaded in two places", ("tables", "private-tpm"), "daemon/rm/object_table.cpp",
          [("  displace(physical);\n  object.physical", "  object.physical")]),
    Fault("gap is forgotten", ("private-tpm", "tables"), "daemon/rm/context_gap.cpp",
          [("sessions.age_of(*oldest) >= allowed ? oldest : nullptr;",
            "sessions.age_of(*oldest) >= allowed * 1000000 ? oldest : nullptr;")]),
    Fault("gap is not repaired", ("private-tpm",), "daemon/rm/command_repair.cpp",
          [("  gap_.emplace(run_.state, GapRefresh::Urgency::Now);\n  return true;", "  return false;")]),
    Fault("saved at the client's", ("private-tpm",), "daemon/rm/context_commands.cpp",
          [("  claimed_->owner = run_.context;\n  claimed_->client_blob.clear();", "  claimed_->owner = run_.context;")]),
    Fault("not looked at after a failure", ("private-tpm", "tables", "returns-to-zero", "answered-once"), "daemon/sched/dispatcher.cpp",
          [("    release(runner_.drop(now), now);\n    device_opened(now);",
            "    release(runner_.drop(now), now);\n    settle(now);")]),
    Fault("reset is overlooked", ("private-tpm", "tables", "no-starvation"), "daemon/rm/command_repair.cpp",
          [("      return run_.view.code() == tpm::cc::kStartup ? Way::None : look(Way::StartTpm);",
            "      return Way::None;")]),
]
