#pragma once

// All that a successor must know of one TPM and its clients, in one journal: what the engine was
// told, who the clients are, and the bytes on their way. An event counts from the next commit on,
// which comes before anything leaves the process because of it. So whatever instruction the process
// is killed at, what has left it is recorded; what is recorded and has not left it, the successor
// does once more; and what is not recorded has not happened.
//
// When the log has grown, the owner takes a snapshot of the engine and has everything written anew
// (compact()). It must do so between two events: with no answer in its hands.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>

#include "daemon/restart/entry_kind.h"
#include "daemon/restart/input_log.h"
#include "daemon/restart/journal.h"
#include "daemon/restart/record_progress.h"
#include "daemon/restart/recorded_engine.h"

namespace tbs::restart {

class ServiceRecord final : public InputLog {
 public:
  // A new one: nothing can be restored from it before the first compact().
  explicit ServiceRecord(Journal journal) : journal_(std::move(journal)) {}
  // Goes on with what a predecessor has left (left_record.h).
  ServiceRecord(Journal journal, RecordProgress progress)
      : journal_(std::move(journal)), progress_(std::move(progress)), compacted_(true) {}

  void append(const Input& input) override;

  void connected(std::uint64_t id, proto::Bytes peer);
  void opened(std::uint64_t id, proto::Bytes how);
  void received(std::uint64_t id, std::uint64_t transfer, proto::Bytes bytes);
  void handled(std::uint64_t id, std::size_t size);
  void queued(std::uint64_t id, proto::Bytes frames);
  void sent(std::uint64_t id, std::uint64_t transfer, std::size_t size);
  void gone(std::uint64_t id);

  // How the TPM's time was shared until now.
  void credit(proto::Bytes credit);
  // Who has the TPM alone; nothing when nobody does.
  void handed_over(proto::Bytes whom);
  // A command is about to go to the device: its number. It is committed.
  std::uint64_t sending();
  void commit();

  // The log has become long, or did not fit.
  [[nodiscard]] bool wants_compaction() const;
  // Writes everything anew and commits it. False when it did not fit: nothing can be restored until
  // the next one that does.
  bool compact(const Snapshot& snapshot);
  // Whether a successor could go on from what is committed.
  [[nodiscard]] bool restorable() const { return compacted_ && !journal_.full(); }

  [[nodiscard]] const RecordProgress& progress() const { return progress_; }
  // What may be given back of the half that nobody needs now. What a short log needs is kept: to
  // get its pages from the kernel anew costs each command more than what is written on them. A
  // state that clients have made large takes no memory twice.
  [[nodiscard]] std::span<std::uint8_t> spare() const;

 private:
  void add(EntryKind kind, std::initializer_list<std::uint64_t> numbers, proto::Bytes bytes = {});
  void add_input(InputKind kind, proto::Bytes bytes);
  void add_clients();

  Journal journal_;
  RecordProgress progress_;
  bool compacted_ = false;  // the journal begins with a compaction that had room
  std::size_t at_compaction_ = 0;
};

}  // namespace tbs::restart
