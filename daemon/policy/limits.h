#pragma once

// Every bound that an administrator can set: its name in the configuration, what it is about, and
// why the default is what it is. docs/limits.md says what happens at each of them; a test keeps
// that page and this table together. The bounds of the wire itself are in proto/limits.h.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tbs::policy {

enum class Scope : std::uint32_t { Context = 1, User = 2, All = 3 };

struct Limits {
  // One descriptor and some KiB each.
  std::size_t contexts = 1024;
  // No user but administrators can take all of them.
  std::size_t contexts_per_user = 512;
  // Clients that never flush leak into this.
  std::size_t objects_per_context = 64;
  // Bounds memory (about 2 KiB for each), yet leaves room for a thousand contexts of one service
  // user with three keys each.
  std::size_t objects_per_user = 4096;
  // Active sessions, loaded or saved. A TPM has 64 for everybody.
  std::size_t sessions_per_context = 32;
  std::size_t sessions_per_user = 48;
  // Saved sessions whose context has closed and that another context of the user may still load.
  std::size_t orphans_per_user = 16;
  std::size_t orphan_seconds = 1800;
  // What stays on the TPM. The smallest TPMs have 6 KiB for NV indices and persistent objects
  // together, of which the maker's certificates take a part, and room for seven such objects.
  std::size_t nv_bytes_per_user = 2048;
  std::size_t nv_indices_per_user = 16;
  std::size_t persistent_per_user = 3;
  // Commands that wait and answers that are not read. A context may always have one command.
  std::size_t backlog_kib_per_user = 4096;
  std::size_t backlog_kib = 16384;

  template <typename Record>
  void fields(Record& record) {
    record(contexts, contexts_per_user, objects_per_context, objects_per_user, sessions_per_context,
           sessions_per_user, orphans_per_user, orphan_seconds, nv_bytes_per_user,
           nv_indices_per_user, persistent_per_user, backlog_kib_per_user, backlog_kib);
  }
};

struct LimitRule {
  std::string_view name;
  std::size_t Limits::* value;
  Scope scope;
  std::size_t lowest;
  std::size_t highest;
  std::string_view about;
};

inline constexpr std::array kLimitRules = {
    LimitRule{"max-contexts", &Limits::contexts, Scope::All, 1, 100000,
              "Contexts open at a time, of all users"},
    LimitRule{"max-contexts-per-user", &Limits::contexts_per_user, Scope::User, 1, 100000,
              "Contexts of one user; administrators are excepted"},
    LimitRule{"objects-per-context", &Limits::objects_per_context, Scope::Context, 1, 100000,
              "Keys and sequences of one context"},
    LimitRule{"objects-per-user", &Limits::objects_per_user, Scope::User, 1, 1000000,
              "Keys and sequences of all contexts of a user"},
    LimitRule{"sessions-per-context", &Limits::sessions_per_context, Scope::Context, 1, 100000,
              "Sessions of one context, loaded or saved"},
    LimitRule{"sessions-per-user", &Limits::sessions_per_user, Scope::User, 1, 100000,
              "Sessions of all contexts of a user; a TPM has 64 for everybody"},
    LimitRule{"orphans-per-user", &Limits::orphans_per_user, Scope::User, 0, 100000,
              "Saved sessions of a user whose contexts have closed"},
    LimitRule{"orphan-lifetime", &Limits::orphan_seconds, Scope::User, 1, 31536000,
              "Seconds that such a session is kept"},
    LimitRule{"nv-bytes-per-user", &Limits::nv_bytes_per_user, Scope::User, 0, 1000000,
              "Bytes in the NV indices that a user has made; administrators are excepted"},
    LimitRule{"nv-indices-per-user", &Limits::nv_indices_per_user, Scope::User, 0, 100000,
              "NV indices that a user has made; administrators are excepted"},
    LimitRule{"persistent-per-user", &Limits::persistent_per_user, Scope::User, 0, 100000,
              "Persistent objects that a user has made; administrators are excepted"},
    LimitRule{"max-backlog-per-user", &Limits::backlog_kib_per_user, Scope::User, 64, 1048576,
              "KiB of commands that wait and answers not read, of one user"},
    LimitRule{"max-backlog", &Limits::backlog_kib, Scope::All, 64, 1048576,
              "KiB of commands that wait and answers not read, of all users"},
};

constexpr const LimitRule& rule_of(std::size_t Limits::* value) {
  return *std::ranges::find(kLimitRules, value, &LimitRule::value);
}

}  // namespace tbs::policy
