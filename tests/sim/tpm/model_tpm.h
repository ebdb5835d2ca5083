#pragma once

// A TPM 2.0 that is fast and small: three slots for objects, three for sessions, 64 sessions in
// all, a context gap, PCRs, counters in NV, the dictionary attack counter. Handles, contexts, sizes
// and response codes are those of the specification; what a real one computes with keys and hashes
// is a number here, which follows from all that was done to the object, so that the wrong object or
// an older state never gives the right answer.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"
#include "tests/sim/tpm/model_nv.h"

namespace tbs::sim {

class ModelTpm {
 public:
  static constexpr std::size_t kSlots = 3;
  static constexpr std::size_t kSessionSlots = 3;
  static constexpr std::size_t kMostSessions = 64;
  static constexpr std::uint32_t kMaxAuthFail = 32;

  struct Options {
    std::uint64_t secret = 0;
    std::uint32_t context_gap = 0xFFFF;
    // Seconds, for what the TPM forgets with time.
    std::function<std::uint64_t()> clock;
  };

  explicit ModelTpm(Options options) : options_(std::move(options)) {}

  proto::Buffer run(proto::Bytes command);
  // Its power was off.
  void reset();

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] std::size_t objects() const;
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }
  [[nodiscard]] std::uint32_t failures();
  // How many NV indices there are.
  [[nodiscard]] std::size_t nv_indices() const { return nv_.size(); }
  // How often a PCR was extended.
  [[nodiscard]] std::uint64_t extended() const { return extended_; }

 private:
  struct Command;
  struct Object {
    std::uint64_t id = 0;
    std::uint64_t value = 0;
    bool sequence = false;
  };
  struct Session {
    std::uint64_t digest = 0;
    bool loaded = true;
    std::uint64_t saved_as = 0;  // the number of its context
  };
  using Answer = proto::Buffer;

  Answer create(const Command& command, bool sequence);
  Answer load_object(const Object& object, bool with_sessions, const proto::Buffer& parameters);
  Answer use(const Command& command);
  Answer start_session(const Command& command);
  Answer use_session(const Command& command);
  Answer save(const Command& command);
  Answer load(const Command& command);
  Answer load_session(std::uint32_t handle, std::uint64_t sequence, bool good);
  Answer flush(const Command& command);
  Answer capability(const Command& command);
  Answer clock() const;
  Answer pcr(const Command& command);
  Answer nv(const Command& command);
  [[nodiscard]] std::vector<tpm::Property> properties();
  [[nodiscard]] std::vector<std::uint32_t> handles(std::uint32_t first) const;
  Object* object_at(std::uint32_t handle);
  Session* session_at(std::uint32_t handle);
  [[nodiscard]] std::size_t loaded_sessions() const;

  Options options_;
  bool started_ = false;
  std::uint32_t resets_ = 0;
  std::array<std::optional<Object>, kSlots> slots_;
  std::map<std::uint32_t, Session> sessions_;
  ModelNv nv_;
  std::uint64_t object_saves_ = 0;
  std::uint64_t session_saves_ = 0;
  std::uint64_t randoms_ = 0;
  std::uint64_t extended_ = 0;
  std::uint32_t failures_ = 0;
  std::uint64_t failed_at_ = 0;
};

// What it answers, for who knows what was done.
namespace model {
std::uint64_t key(proto::Bytes parameters);
std::uint64_t signature(std::uint64_t key, proto::Bytes parameters);
std::uint64_t sequence(proto::Bytes parameters);
std::uint64_t updated(std::uint64_t value, proto::Bytes parameters);
std::uint64_t policy(std::uint64_t digest, proto::Bytes parameters);
}  // namespace model

}  // namespace tbs::sim
