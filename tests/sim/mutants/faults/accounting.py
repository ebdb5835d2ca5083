"""What is counted, and must come back to nothing."""
from .fault import Fault

FAULTS = [
    Fault("count objects for ever", ("returns-to-zero",), "daemon/rm/object_table.cpp",
          [("  by_account_.remove(object.principal.account);\n", "")]),
    Fault("objects not counted", ("private-tpm", "returns-to-zero"), "daemon/rm/object_table.cpp",
          [("  by_account_.add(added->principal.account);\n", "")]),
    Fault("sessions not counted", ("restart-unseen", "returns-to-zero", "private-tpm", "tables"), "daemon/rm/session_table.cpp",
          [("  if (session.loaded) ++loaded_;\n  if (session.sticky)", "  if (session.sticky)")]),
    Fault("contexts stay open", ("returns-to-zero", "open-to-honest"), "daemon/server/admission.cpp",
          [("  contexts_.give_back(client.peer.principal.account);\n", "")]),
    Fault("backlog of the gone", ("returns-to-zero",), "daemon/server/back_pressure.cpp",
          [("  backlog_.change(account, client.counted_bytes, 0);\n", "")]),
    Fault("bytes of the answered", ("returns-to-zero", "no-starvation"), "daemon/server/client.h",
          [("    outstanding_bytes -= taken->command->bytes().size();\n", "")],
          ("daemon/server/submissions.cpp",)),
    Fault("saved sessions of the gone", ("returns-to-zero",), "daemon/rm/session_share.cpp",
          [("now() - oldest->orphaned_at >= lifetime ? oldest : nullptr;",
            "now() - oldest->orphaned_at >= lifetime * 100 ? oldest : nullptr;")]),
    Fault("strays stay", ("returns-to-zero", "tables", "private-tpm"), "daemon/rm/reconcile.cpp",
          [("      add_once(state.stray_objects, handle);\n    }\n  }\n  for", "    }\n  }\n  for")]),
    Fault("context is closed in the middle", ("crash", "private-tpm", "returns-to-zero", "tables"), "daemon/sched/dispatcher.cpp",
          [("    closing_.insert(context);\n    runner_.abandon(now);\n    return;",
            "    runner_.abandon(now);\n    return;")]),
    Fault("made when nobody waits any more", ("returns-to-zero", "tables"), "daemon/rm/command_results.cpp",
          [("  run_.state.objects.erase(object);\n  run_.state.stray_objects.push_back(physical);",
            "  run_.state.objects.erase(object);")]),
]
