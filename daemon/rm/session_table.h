#pragma once

// All sessions that clients own: whose they are, whether they are loaded, and with which blob they
// can be loaded again. Session handles stay physical (they are part of names and HMACs), so a
// session is found by the handle's index, which is the same whether the TPM lists it as an HMAC, a
// policy or a saved session. Sessions keep their address from add() to erase().

#include <cstdint>
#include <map>
#include <optional>
#include <ranges>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/exec/execution.h"
#include "daemon/exec/handles.h"
#include "daemon/exec/saved_state.h"
#include "proto/byte_writer.h"

namespace tbs::rm {

struct Session {
  exec::PhysicalHandle handle{};
  Principal principal{};
  // Empty for an orphan: its context has closed, and the user may load it from another one.
  std::optional<ContextId> owner;
  bool loaded = true;
  // While it is not loaded: the TPMS_CONTEXT that loads it, and its place in the context gap.
  exec::SavedState saved{true};
  std::uint64_t age_mark = 0;
  // While the client counts it as saved: the blob that the client was given. It stays the client's
  // key to the session, though `saved` is renewed to keep within the context gap.
  proto::Buffer client_blob;
  std::uint64_t last_used = 0;
  // The client wants it to stay on the TPM. Changed by SessionTable::set_sticky().
  bool sticky = false;
  TimePoint orphaned_at;

  [[nodiscard]] bool saved_by_client() const { return !client_blob.empty(); }
  [[nodiscard]] bool orphan() const { return !owner.has_value(); }

  template <typename Record>
  void fields(Record& record) {
    record(handle, principal, owner, loaded, saved, age_mark, client_blob, last_used, sticky,
           orphaned_at);
  }
};

class SessionTable {
 public:
  // Registers a session that the TPM has just made or loaded.
  Session& add(exec::PhysicalHandle handle, ContextId owner, const Principal& principal);
  void erase(Session& session);
  // By index: 0x02000001 and 0x03000001 are the same session. Null when there is none.
  [[nodiscard]] Session* find(exec::PhysicalHandle handle) const;

  void set_loaded(Session& session);
  // `blob` is a whole TPMS_CONTEXT with this sequence number, from a TPM with this context gap.
  void set_saved(Session& session, proto::Buffer blob, std::uint64_t sequence, std::uint64_t gap);

  void set_sticky(Session& session, bool sticky);
  [[nodiscard]] std::size_t sticky_count() const { return sticky_; }

  // Every session, in the order of handles, for looking; and the same for changing the table.
  [[nodiscard]] auto each() const { return std::views::values(sessions_); }
  [[nodiscard]] auto each() { return std::views::values(sessions_); }
  [[nodiscard]] std::vector<Session*> all();
  [[nodiscard]] std::size_t total() const { return sessions_.size(); }
  [[nodiscard]] std::size_t loaded_count() const { return loaded_; }
  [[nodiscard]] std::size_t count(ContextId owner) const;
  [[nodiscard]] std::size_t count(AccountId account) const;
  [[nodiscard]] std::size_t orphans(AccountId account) const;
  // The orphan of this account that has waited longest; null when there is none.
  [[nodiscard]] Session* oldest_orphan(AccountId account);

  // Who has most; a TPM has few.
  [[nodiscard]] exec::Usage usage() const;

  // The TPM's counter of saved sessions, as far as it can be believed: it moves on with each save,
  // by what the TPM's numbers say or else by one. A session's age is what it has moved on by since.
  [[nodiscard]] std::uint64_t age_of(const Session& session) const {
    return numbering_.newest - session.age_mark;
  }
  // The TPM was reset, and its counter with it.
  void forget_sequences() { numbering_.reported.reset(); }

  // From a record. False when it is no session, or there is one of its index.
  bool put_back(const Session& session);
  struct Numbering {
    std::uint64_t newest = 0;
    std::optional<std::uint64_t> reported;  // the TPM's last number

    template <typename Record>
    void fields(Record& record) {
      record(newest, reported);
    }
  };
  [[nodiscard]] const Numbering& numbering() const { return numbering_; }
  void set_numbering(const Numbering& numbering) { numbering_ = numbering; }

 private:
  [[nodiscard]] std::uint64_t step_to(std::uint64_t sequence, std::uint64_t gap) const;

  std::map<std::uint32_t, Session> sessions_;  // by index
  std::size_t loaded_ = 0;
  std::size_t sticky_ = 0;
  Numbering numbering_;
};

}  // namespace tbs::rm
