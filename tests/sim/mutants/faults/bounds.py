"""Memory, turns of the loop, failed authorizations."""
from .fault import Fault

FAULTS = [
    Fault("answers nobody reads", ("memory", "no-hang"), "daemon/server/connection.cpp",
          [("!window_full_ && unsent() < proto::kMaxPendingOutput && owner_", "!window_full_ && owner_"),
           ("  owner_.on_kept(id_);\n  const bool full", "  const bool full")]),
    Fault("window without end", ("memory",), "daemon/server/submissions.cpp",
          [("  back_pressure_.update(client);\n"
            "  if (client.outstanding.size() >= proto::kMaxOutstanding) client.link->set_window_full(true);", "")]),
    Fault("turn without end", ("loop-turn",), "daemon/server/connection.cpp",
          [("    if (count == kFramesInTurn || (count > 0 && std::chrono::steady_clock::now() >= end)) return;",
            "    (void)end;")]),
    Fault("turns without end", ("loop-turn",), "daemon/server/turn_runner.cpp",
          [("  while (end - start < kSlice) {", "  while (true) {")]),
    Fault("works without end", ("loop-turn",), "daemon/sched/dispatcher.cpp",
          [("constexpr unsigned kMostAtOnce = 16;", "constexpr unsigned kMostAtOnce = 1000000;")]),
    Fault("held up for ever", ("no-hang",), "daemon/server/back_pressure.cpp",
          [("    waiting->second.pop_front();\n", "")]),
    Fault("loop that waits", ("loop-turn", "no-hang", "busy-node"), "daemon/device/char_device.cpp",
          [("void CharDevice::on_readable() {",
            "void CharDevice::on_readable() {\n"
            "  for (int i = 0; i < 60000; ++i) (void)::fcntl(node_.native_handle(), F_GETFL);")]),
    Fault("failures not counted", ("lockout-guard",), "daemon/policy/lockout_guard.cpp",
          [("return at + window > now; }));", "return at + window > now && window == 0; }));")]),
    Fault("one failure too many", ("lockout-guard",), "daemon/policy/lockout_guard.cpp",
          [("    if (failures >= limits.per_user) return Hold::Failures;",
            "    if (failures > limits.per_user) return Hold::Failures;")]),
    Fault("failures while one waits", ("lockout-guard",), "daemon/exec/guarded_engine.cpp",
          [("  if (auto refusal = guard_.refusal(*command)) {",
            "  if (auto refusal = guard_.refusal(*command); refusal && command->bytes().size() > 4096) {")]),
    Fault("failures of the predecessor", ("lockout-guard",), "daemon/restart/engine_parts.cpp",
          [("  record(parts_.authorization, parts_.ownership);\n}\n\nvoid EngineParts::apply",
            "  record(parts_.authorization, parts_.ownership);\n"
            "  parts_.authorization.reset(std::nullopt);\n}\n\nvoid EngineParts::apply")]),
]
