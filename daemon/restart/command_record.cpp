#include "daemon/restart/command_record.h"

#include <utility>

namespace tbs::restart {
namespace {

// What a Requester and a Submission consist of, which have no empty form.
struct Parts {
  AccountId account{};
  UserId user{};
  std::vector<std::uint32_t> groups;
  std::int32_t process = 0;
  std::string program;
  rules::RoleSet roles{};
  ContextId context{};
  RequestId request{};
  std::uint32_t priority = 0;
  std::uint8_t locality = 0;
  Family family = Family::Tpm20;
  proto::Buffer bytes;

  void read(RecordReader& record) {
    record(account, user, groups, process, program, roles, context, request, priority, locality);
    record.choice(family, Family::Tpm20);
    record(bytes);
  }
};

}  // namespace

proto::Bytes RequesterRecords::of(const std::shared_ptr<const Requester>& requester) {
  const auto address = reinterpret_cast<std::uintptr_t>(requester.get());
  Entry& entry = entries_[address / sizeof(Requester) % entries_.size()];
  if (entry.requester == requester) return entry.bytes;
  entry.bytes.clear();
  RecordWriter record(entry.bytes);
  record(*requester->account, *requester->user, *requester->groups, *requester->process->id,
         *requester->process->program, *requester->roles);
  entry.requester = requester;
  return entry.bytes;
}

void save(const ClientCommand& command, RequesterRecords& requesters, RecordWriter& record) {
  record.written(requesters.of(command.shared_requester()));
  record(command.context(), command.request(), command.priority(), command.locality(),
         command.family());
  record.bytes(command.bytes());
}

SharedCommand restore_command(RecordReader& record) {
  Parts parts;
  parts.read(record);
  if (!record.ok()) return nullptr;
  auto requester = std::make_shared<const Requester>(
      Requester{.account = parts.account,
                .user = parts.user,
                .groups = std::move(parts.groups),
                .process = Process{.id = parts.process, .program = std::move(parts.program)},
                .roles = parts.roles});
  auto command = ClientCommand::read({.requester = std::move(requester),
                                      .context = parts.context,
                                      .request = parts.request,
                                      .priority = parts.priority,
                                      .locality = parts.locality,
                                      .family = parts.family,
                                      .bytes = std::move(parts.bytes)});
  if (command == nullptr) record.fail("a client's command has no header of its size");
  return command;
}

}  // namespace tbs::restart
