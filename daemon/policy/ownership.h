#pragma once

// Who made the NV indices and persistent objects of the TPM. What nobody is known to have made is
// the administrators': it was there before, or came past the daemon.
//
// The knowledge outlives the process (to_text, from_text) and is held against the TPM whenever it
// is brought up (learn): what has gone has no owner. A TPM that is not the one that was known, or
// that was cleared meanwhile, has nothing that a user made: its clock has gone back, or further
// than the time that has passed.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/ids.h"
#include "daemon/policy/lasting_change.h"
#include "daemon/tpm/inventory.h"
#include "proto/rules/rules.h"

namespace tbs::policy {

class Ownership {
 public:
  struct Entry {
    std::optional<AccountId> account;  // none: the administrators
    std::uint32_t bytes = 0;           // of an NV index
    bool persistent = false;           // an object, not an NV index
    bool open = false;                 // without an authorization value of its own

    template <typename Record>
    void fields(Record& record) {
      record(account, bytes, persistent, open);
    }
  };
  // What an account has.
  struct Usage {
    std::size_t nv_bytes = 0;
    std::size_t nv_indices = 0;
    std::size_t persistent_objects = 0;
  };

  // Whose it is that the change is about, as seen by this account; nothing when the change takes
  // nothing from anybody.
  [[nodiscard]] std::optional<rules::Owner> owner_of(const LastingChange& change,
                                                     AccountId account) const;

  // The TPM has made the change for this account.
  void apply(const LastingChange& change, AccountId account);
  // The TPM may have made it: whether it did, the next inventory says.
  void expect(const LastingChange& change, AccountId account);
  void expect_nothing() { expected_.reset(); }

  // What the TPM holds, seen at this time (seconds since 1970).
  void learn(const tpm::Inventory& inventory, std::uint64_t now);

  [[nodiscard]] Usage of(AccountId account) const;
  [[nodiscard]] std::map<AccountId, Usage> usage() const;
  [[nodiscard]] const std::map<std::uint32_t, Entry>& entries() const { return entries_; }

  // Empty when no account has anything. Else one line for the TPM's age, "tpm MILLISECONDS RESETS
  // SECONDS", and one for each entry that has an account: "nv INDEX ACCOUNT BYTES OPEN" or
  // "persistent HANDLE ACCOUNT".
  [[nodiscard]] std::string to_text() const;
  // Takes what it understands.
  void from_text(std::string_view text);

  // More than the text has: what nobody owns, and what is not known yet.
  template <typename Record>
  void fields(Record& record) {
    record(entries_, complete_, seen_, expected_);
    if constexpr (Record::kReads) {
      record.require(entries_.size() <= kMostEntries, "too many things are owned");
    }
  }

 private:
  struct Seen {
    tpm::Age age;
    std::uint64_t at = 0;

    template <typename Record>
    void fields(Record& record) {
      record(age, at);
    }
  };
  struct Expected {
    std::uint32_t handle = 0;
    Entry entry;

    template <typename Record>
    void fields(Record& record) {
      record(handle, entry);
    }
  };
  // More than any TPM has room for.
  static constexpr std::size_t kMostEntries = 4096;

  [[nodiscard]] const Entry* find(std::uint32_t handle) const;
  [[nodiscard]] static Entry made_by(const LastingChange& change, AccountId account);
  [[nodiscard]] bool another_tpm(const tpm::Inventory& inventory, std::uint64_t now) const;
  void take_line(std::string_view line);
  void forget_accounts();

  std::map<std::uint32_t, Entry> entries_;
  bool complete_ = false;  // nothing is in the TPM that is not an entry
  std::optional<Seen> seen_;
  std::optional<Expected> expected_;
};

}  // namespace tbs::policy
