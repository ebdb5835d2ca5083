"""Whose turn it is."""
from .fault import Fault

AGEING = ("daemon/sched/run_queue.cpp", "daemon/sched/account_queue.cpp")
TURNS = ("daemon/sched/run_queue.cpp", "daemon/sched/account_queue.cpp", "daemon/server/turn_runner.cpp")

FAULTS = [
    Fault("no priorities", ("high-waits-one",), "daemon/sched/run_queue.cpp",
          [("  return honoured ? priority : std::min(priority, kPriorityNormal);", "  return kPriorityNormal;")]),
    Fault("high is not high for long", ("high-waits-one",), "daemon/sched/high_share.h",
          [("    left_ = std::max<Duration>(at(now, percent) - took, -kMost);",
            "    left_ = std::max<Duration>(at(now, percent) - took * 100, -kMost * 100);"),
           ("  static constexpr std::chrono::seconds kMost{2};", "  static constexpr std::chrono::seconds kMost{1};")],
          ("daemon/sched/run_queue.cpp",)),
    Fault("lowest first", ("high-waits-one", "no-starvation"), "daemon/sched/ageing.h",
          [("    if (!offered_ || rank >= best_rank_) {", "    if (!offered_ || rank <= best_rank_) {")], AGEING),
    Fault("what is loaded comes first", ("fairness", "no-starvation"), "daemon/sched/run_queue.cpp",
          [("    if (place.virtual_time > most) return std::nullopt;\n", ""),
           ("      if (turn.virtual_time > most_of_own) break;\n", "")]),
    Fault("always the same account", ("fairness", "no-starvation"), "daemon/sched/run_queue.cpp",
          [(": level.turns.next();",
            ": last_account_ && level.turns.contains(*last_account_) ? *last_account_\n"
            "                                                          : level.turns.next();")]),
    Fault("turns, not time", ("fairness",), "daemon/sched/run_queue.cpp",
          [("  if (level != levels_.end()) level->second.turns.charge(*last_account_, took);",
            "  if (level != levels_.end()) level->second.turns.charge(*last_account_, kLeastCharge);")]),
    Fault("each context its share", ("fairness",), "daemon/sched/run_queue.cpp",
          [("  Account& account = accounts_[requester.account];",
            "  Account& account =\n"
            "      accounts_[AccountId{static_cast<std::uint64_t>(command->context()) + 5000000}];")]),
    Fault("time not used is saved up", ("fairness", "no-starvation"), "daemon/sched/fair_turns.h",
          [("    member.place.virtual_time = std::max(virtual_time_, member.place.virtual_time);", "")], TURNS),
    Fault("low waits for ever", ("no-starvation",), "daemon/sched/ageing.h",
          [("kLiftPerSecond = 100;", "kLiftPerSecond = 1;"),
           ("kStarvationLimit{10};", "kStarvationLimit{1000000};")], AGEING),
    Fault("retried never", ("no-starvation", "no-hang"), "daemon/sched/runner.cpp",
          [("    running_->deadline = waits ? now + std::get<exec::Pause>(step).duration : now;",
            "    running_->deadline = TimePoint::max();\n    (void)waits;")]),
]
