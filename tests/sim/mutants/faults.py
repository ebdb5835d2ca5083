"""The faults that mutants.py plants: a name, the source, and what is put in place of what."""
import typing


class Fault(typing.NamedTuple):
    name: str
    source: str
    changes: list[tuple[str, str]]


FAULTS = [
    Fault("answer twice", "daemon/server/submissions.cpp",
          [("  back_pressure_.update(*client);\n  const auto link = client->link;",
            "  if (client->submitted % 50 == 9)\n"
            "    reply(*client, asked->reply, static_cast<std::uint64_t>(answer.request), answer.status,\n"
            "          answer.response);\n"
            "  back_pressure_.update(*client);\n  const auto link = client->link;")]),
    Fault("answer never", "daemon/server/submissions.cpp",
          [("  if (!asked) return;", "  if (!asked || client->submitted % 50 == 9) return;")]),
    Fault("session of another", "daemon/rm/plan.cpp",
          [("session->owner == context && !session->saved_by_client()", "!session->saved_by_client()")]),
    Fault("object of another", "daemon/rm/object_table.cpp",
          [("  return context_entry == contexts_.end() ? nullptr : context_entry->second.objects.find(handle);",
            "  Object* found =\n"
            "      context_entry == contexts_.end() ? nullptr : context_entry->second.objects.find(handle);\n"
            "  for (const auto& [other, entry] : contexts_)\n"
            "    if (found == nullptr) found = entry.objects.find(handle);\n"
            "  return found;")]),
    Fault("no priorities", "daemon/sched/run_queue.cpp",
          [("  return honoured ? priority : std::min(priority, kPriorityNormal);", "  return kPriorityNormal;")]),
    Fault("always the same account", "daemon/sched/run_queue.cpp",
          [(": level.turns.next();",
            ": last_account_ && level.turns.contains(*last_account_) ? *last_account_\n"
            "                                                          : level.turns.next();")]),
    Fault("evict what is needed", "daemon/rm/eviction.cpp",
          [("    if (contains(pins.objects, object)) continue;\n", "")]),
    Fault("evict one too late", "daemon/rm/eviction.cpp",
          [("wanted <= state.facts.object_slots", "wanted <= state.facts.object_slots + 1")]),
    Fault("flush without saving", "daemon/rm/eviction.cpp",
          [("victim->must_be_saved() ? save(*victim) : flush(*victim)", "flush(*victim)")]),
    Fault("count objects for ever", "daemon/rm/object_table.cpp",
          [("  by_account_.remove(object.principal.account);\n", "")]),
    Fault("contexts stay open", "daemon/server/admission.cpp",
          [("  contexts_.give_back(client.peer.principal.account);\n", "")]),
    Fault("backlog of the gone", "daemon/server/back_pressure.cpp",
          [("  backlog_.change(account, client.counted_bytes, 0);\n", "")]),
    Fault("handled twice", "daemon/restart/record_progress.cpp",
          [("return clients.handled(id, payload.number());", "payload.number();\n      return true;")]),
    Fault("sent twice", "daemon/restart/record_progress.cpp",
          [("return clients.sent(id, payload.number());", "payload.number();\n      return true;")]),
    Fault("received and forgotten", "daemon/service_keeper.cpp",
          [("  if (!*last) return {};", "  return {};")]),
    Fault("carried out again", "daemon/service_keeper.cpp",
          [("  return response_memory_.number() == record_.progress().sending;", "  return false;")]),
    Fault("ended and not told", "daemon/takeover.cpp",
          [("  for (const Request& request : requests_) handle(request);",
            "  for (const Request& request : requests_) (void)request;")]),
    Fault("asked the engine again", "daemon/takeover.cpp",
          [("  if (request.with_engine) return;\n", "")]),
    Fault("sessions not counted", "daemon/rm/session_table.cpp",
          [("  if (session.loaded) ++loaded_;\n  if (session.sticky)", "  if (session.sticky)")]),
    Fault("objects not counted", "daemon/rm/object_table.cpp",
          [("  by_account_.add(added->principal.account);\n", "")]),
    Fault("wait armed too late", "daemon/device/char_device.cpp",
          [("  arm();\n  note_start(memory_);", "  note_start(memory_);"),
           ("    in_flight_ = true;\n    return;\n  }\n  note_failure",
            "    in_flight_ = true;\n    arm();\n    return;\n  }\n  note_failure")]),
    Fault("no startup", "daemon/exec/startup.cpp",
          [("      return Transmit{.command = tpm::build::startup(tpm::kStartupClear)};",
            "      return Transmit{.command = tpm::build::self_test()};")]),
    Fault("failures not counted", "daemon/policy/lockout_guard.cpp",
          [("return at + window > now; }));", "return at + window > now && window == 0; }));")]),
    Fault("hello is not awaited", "daemon/server/server.cpp",
          [('      refuse(*client, {.status = Status::BadParameter, .reason = "no hello within 5 s"});', "")]),
    Fault("faults are overlooked", "daemon/server/server.cpp",
          [("  refuse(*client, {.status = Status::BadParameter, .reason = std::string(fault_text(fault))});",
            "  (void)fault;")]),
    Fault("hello twice", "daemon/server/server.cpp",
          [("client.stage == Stage::Handshake && frame.type == Type::Hello", "frame.type == Type::Hello")]),
    Fault("output twice", "daemon/server/connection.cpp",
          [("  while (unsent() > 0 && !error) sent_ += write(error);",
            "  while (unsent() > 0 && !error) sent_ += write(error);\n"
            "  if (output_.size() % 31 == 7) sent_ = 0, write(error);")]),
    Fault("session handles reused", "daemon/rm/session_table.cpp",
          [("  if (Session* const stale = find(handle)) erase(*stale);\n", "")]),
]
