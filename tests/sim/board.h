#pragma once

// What users let others know, willingly or not, and what is counted over all of them.

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "proto/byte_writer.h"
#include "tests/sim/random.h"
#include "tests/sim/world.h"

namespace tbs::sim {

struct Board {
  // Session handles and saved sessions, each with the user who has it.
  struct Session {
    std::uint32_t uid = 0;
    std::uint32_t handle = 0;
    proto::Buffer saved;
  };
  static constexpr std::size_t kMost = 32;
  std::vector<Session> sessions;

  void add(Session session, Random& random) {
    if (sessions.size() < kMost) {
      sessions.push_back(std::move(session));
    } else {
      sessions[random.below(kMost)] = std::move(session);
    }
  }

  // Contexts that may have heirs, each with the proof and the user who has it.
  struct Context {
    std::uint32_t uid = 0;
    std::uint64_t number = 0;
    proto::Buffer token;
  };
  std::vector<Context> contexts;

  void add(Context context, Random& random) {
    if (contexts.size() < kMost) {
      contexts.push_back(std::move(context));
    } else {
      contexts[random.below(kMost)] = std::move(context);
    }
  }

  // NV indices, each with the user whose it is.
  std::map<std::uint32_t, std::uint32_t> counters;
  // How often the TPM has refused an authorization, by user.
  std::map<std::uint32_t, std::uint64_t> failures;

  // Signatures and keys that wait for the TPM, by their tags.
  std::map<std::uint64_t, std::uint32_t> asked;
  // How many commands of clients the TPM has begun.
  std::uint64_t begun = 0;
  // When that of high priority with this tag began: the number of the command.
  std::map<std::uint64_t, std::uint64_t> high_begun;
  // Extensions that clients know of, and those of which they do not know.
  std::uint64_t extended = 0;
  std::uint64_t maybe_extended = 0;
};

}  // namespace tbs::sim
