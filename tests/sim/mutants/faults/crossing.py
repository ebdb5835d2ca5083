"""What belongs to others: handles, sessions, saved contexts, PCRs, NV, what is inherited."""
from .fault import Fault

FAULTS = [
    Fault("object of another", ("no-crossing", "private-tpm", "crash"), "daemon/rm/object_table.cpp",
          [("  return context_entry == contexts_.end() ? nullptr : context_entry->second.objects.find(handle);",
            "  Object* found =\n"
            "      context_entry == contexts_.end() ? nullptr : context_entry->second.objects.find(handle);\n"
            "  for (const auto& [other, entry] : contexts_)\n"
            "    if (found == nullptr) found = entry.objects.find(handle);\n"
            "  return found;")]),
    Fault("objects of others are listed", ("no-crossing",), "daemon/rm/capability_filter.cpp",
          [("    for (const exec::VirtualHandle handle : owned) handles.push_back(number_of(handle));",
            "    for (const exec::VirtualHandle handle : owned) handles.push_back(number_of(handle));\n"
            "    for (const Object* object : state.objects.all())\n"
            "      if (object->owner != context) handles.push_back(number_of(object->virtual_handle));")]),
    Fault("session of another", ("no-crossing", "private-tpm"), "daemon/rm/plan.cpp",
          [("session->owner == context && !session->saved_by_client()", "!session->saved_by_client()")]),
    Fault("session of another is flushed", ("no-crossing", "private-tpm"), "daemon/rm/context_commands.cpp",
          [("                                                            : session->owner == run_.context);",
            "                                                            : true);")]),
    Fault("sessions of others are listed", ("no-crossing",), "daemon/rm/capability_filter.cpp",
          [("  return session.owner == context && !session.saved_by_client();",
            "  return session.owner.has_value() && (session.owner == context || true) &&\n"
            "         !session.saved_by_client();")]),
    Fault("saved session of another", ("no-crossing",), "daemon/rm/context_commands.cpp",
          [("session.principal == run_.principal() && session.saved_by_client()", "session.saved_by_client()")]),
    Fault("saved session twice", ("no-crossing", "private-tpm"), "daemon/rm/context_commands.cpp",
          [("session.principal == run_.principal() && session.saved_by_client() &&\n"
            "                        std::ranges::equal(session.client_blob, blob);",
            "!blob.empty();")]),
    Fault("PCRs of the machine", ("no-crossing",), "proto/rules/profiles.cpp",
          [("EventSequenceComplete pcr 0-15,17-22,24-", "EventSequenceComplete pcr 12-15,17-22,24-")]),
    Fault("counter of another is removed", ("no-crossing", "private-tpm"), "proto/rules/profiles.cpp",
          [('"block user command NV_UndefineSpace,EvictControl owner other\\n"\n', "")]),
    Fault("counter of another goes up", ("no-crossing",), "daemon/policy/ownership.cpp",
          [("  if (change.by_own_value && (entry == nullptr || !entry->open)) return std::nullopt;",
            "  if (change.kind == LastingChange::Kind::Changes) return std::nullopt;")]),
    Fault("counter whose maker was not told", ("private-tpm", "returns-to-zero"), "daemon/policy/ownership.cpp",
          [("    entries_.try_emplace(expected_->handle, expected_->entry);", "")]),
    Fault("any token", ("no-crossing",), "daemon/server/inheritance_requests.cpp",
          [("  return difference == 0 && any != 0;", "  return true;"),
           ("  return !parent.subject.cgroup.empty() && parent.subject.cgroup == child.subject.cgroup;",
            "  return true;")]),
    Fault("token of another", ("no-crossing",), "daemon/server/inheritance_requests.cpp",
          [("  return !parent.subject.cgroup.empty() && parent.subject.cgroup == child.subject.cgroup;",
            "  return true;")]),
    Fault("one is not inherited", ("private-tpm",), "daemon/rm/inheritance.cpp",
          [("    if (object->must_be_saved()) return object;\n    copy(",
            "    if (object->must_be_saved()) continue;\n    copy(")]),
    Fault("inherited as it is loaded", ("private-tpm", "tables", "crash", "returns-to-zero"), "daemon/rm/inheritance.cpp",
          [("    if (object->must_be_saved()) return object;\n    copy(", "    copy(")]),
]
