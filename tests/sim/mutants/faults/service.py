"""An answer for each command, and who is disconnected."""
from .fault import Fault

FAULTS = [
    Fault("answer twice", ("answered-once",), "daemon/server/submissions.cpp",
          [("  back_pressure_.update(*client);\n  const auto link = client->link;",
            "  if (client->submitted % 50 == 9)\n"
            "    reply(*client, asked->reply, static_cast<std::uint64_t>(answer.request), answer.status,\n"
            "          answer.response);\n"
            "  back_pressure_.update(*client);\n  const auto link = client->link;")]),
    Fault("answer never", ("no-starvation", "answered-once"), "daemon/server/submissions.cpp",
          [("  if (!asked) return;", "  if (!asked || client->submitted % 50 == 9) return;")]),
    Fault("answer to another request", ("answered-once", "private-tpm"), "daemon/server/submissions.cpp",
          [("  reply(*client, asked->reply, static_cast<std::uint64_t>(answer.request), answer.status,\n"
            "        answer.response);",
            "  reply(*client, asked->reply,\n"
            "        static_cast<std::uint64_t>(client->outstanding.empty() ? answer.request\n"
            "                                                               : client->outstanding.front().request()),\n"
            "        answer.status, answer.response);")]),
    Fault("canceled and not told", ("no-starvation", "answered-once"), "daemon/sched/dispatcher.cpp",
          [("    actions_.answer(*command, Status::CommandCanceled);\n", "")]),
    Fault("lost with the device", ("no-starvation", "answered-once"), "daemon/sched/dispatcher.cpp",
          [("  for (const SharedCommand& command : agenda_.queue().clear()) {\n"
            "    actions_.answer(*command, Status::IoError);",
            "  for (const SharedCommand& command : agenda_.queue().clear()) {\n"
            "    (void)command;")]),
    Fault("failed and not told", ("no-starvation", "answered-once"), "daemon/sched/runner.cpp",
          [("  if (!running_->answered) answer(status);\n  return end(status, now);",
            "  return end(status, now);")]),
    Fault("cancel without reply", ("answered-once",), "daemon/server/command_requests.cpp",
          [("  link->send(request_id, proto::CancelReply{});",
            "  if (client.outstanding.empty()) link->send(request_id, proto::CancelReply{});")]),
    Fault("carried out though not asked again", ("answered-once",), "daemon/exec/procedure.cpp",
          [("  if (readiness != Readiness::Ready) {",
            "  if (readiness == Readiness::Ready && last_.client_command && header->code == 0 &&\n"
            "      code_of(last_.command) == 0x182 && manager_.statistics.transmissions % 8 == 0)\n"
            "    return Transmit{.command = last_.command, .client_command = true};\n"
            "  if (readiness != Readiness::Ready) {")]),
    Fault("output twice", ("frames", "answered-once"), "daemon/server/connection.cpp",
          [("  while (unsent() > 0 && !error) sent_ += write(error);",
            "  while (unsent() > 0 && !error) sent_ += write(error);\n"
            "  if (output_.size() % 31 == 7) sent_ = 0, write(error);")]),
    Fault("output cut off", ("frames",), "daemon/server/connection.cpp",
          [("  output_.clear();\n    sent_ = kept_ = 0;", "  output_.clear();\n    sent_ = kept_ = 0;"),
           ("  const proto::Bytes rest = proto::Bytes(output_).subspan(sent_);",
            "  if (unsent() % 61 == 17) ++sent_;\n"
            "  const proto::Bytes rest = proto::Bytes(output_).subspan(sent_);")]),
    Fault("hello is not awaited", ("hostile-refused",), "daemon/server/server.cpp",
          [('      refuse(*client, {.status = Status::BadParameter, .reason = "no hello within 5 s"});', "")]),
    Fault("faults are overlooked", ("hostile-refused",), "daemon/server/server.cpp",
          [("  refuse(*client, {.status = Status::BadParameter, .reason = std::string(fault_text(fault))});",
            "  (void)fault;")]),
    Fault("hello twice", ("hostile-refused",), "daemon/server/server.cpp",
          [("client.stage == Stage::Handshake && frame.type == Type::Hello", "frame.type == Type::Hello")]),
    Fault("hello comes too late", ("open-to-honest",), "daemon/server/handshake.cpp",
          [("  deadlines_.end(client.id);\n  client.hello_id = request_id;", "  client.hello_id = request_id;")]),
]
