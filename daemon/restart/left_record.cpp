#include "daemon/restart/left_record.h"

#include <iterator>

#include "daemon/restart/entry_kind.h"

namespace tbs::restart {
namespace {

class RecordOfEntries {
 public:
  explicit RecordOfEntries(LeftRecord& left) : left_(left) {}

  std::expected<void, std::string> read(const JournalEntry& entry) {
    if (entry.kind >= kFirstInput) {
      // Kinds that are unknown are refused by who tells them.
      add({.kind = static_cast<InputKind>(entry.kind - kFirstInput), .bytes = entry.payload});
      return {};
    }
    if (entry.kind != static_cast<std::uint16_t>(EntryKind::Settled)) {
      return left_.progress.follow(entry);
    }
    settle();
    return {};
  }

 private:
  void add(const Input& input) {
    left_.progress.told(input);
    left_.inputs.push_back(input);
    if (input.kind != InputKind::Execute) return;
    last_command_ = left_.inputs.size();
    note_command();
  }

  // Of what was recorded anew the inputs came before the clients: only now it can be said whose the
  // command is that is under way.
  void settle() {
    left_.settled = left_.inputs.size();
    left_.requests.clear();
    if (last_command_ != 0) note_command();
  }

  void note_command() {
    proto::ByteReader reader(left_.inputs[last_command_ - 1].bytes);
    const std::uint64_t client = reader.le64();
    const std::uint64_t request = reader.le64();
    left_.requests[last_command_ - 1] = left_.progress.clients.order_of_command(client, request);
  }

  LeftRecord& left_;
  std::size_t last_command_ = 0;  // how many inputs there were with it
};

}  // namespace

std::uint64_t LeftRecord::request_at(std::size_t input) const {
  const auto behind = requests.upper_bound(input);
  return behind == requests.begin() ? 0 : std::prev(behind)->second;
}

std::expected<LeftRecord, std::string> read_record(JournalEntries entries) {
  LeftRecord left;
  const auto first = entries.next();
  if (!first || first->kind != static_cast<std::uint16_t>(EntryKind::EngineState)) {
    return std::unexpected("the state of the engine is missing");
  }
  left.engine_state = first->payload;
  RecordOfEntries record(left);
  while (const auto entry = entries.next()) {
    if (auto read = record.read(*entry); !read) return std::unexpected(read.error());
  }
  if (!entries.at_end()) return std::unexpected("the last entries are none");
  return left;
}

}  // namespace tbs::restart
