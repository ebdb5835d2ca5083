// The model of the resource manager is a TPM alone: random commands of several contexts that share
// one TPM get the answers that each would get from a TPM of its own. The model TPMs have the same
// seeds, so keys, names and digests are the same; handles of objects must be the same too, and
// handles of sessions are translated. A context stays within three objects and three loaded
// sessions, because the model has no more room.

#include <algorithm>
#include <optional>
#include <random>

#include <catch2/catch.hpp>

#include "daemon/tpm/builder.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/support/client_commands.h"
#include "tests/support/tpm_process.h"

using namespace tbs;
using namespace tbs::test;

namespace {

using Bytes = command::Bytes;

constexpr std::size_t kRoom = 3;

std::uint32_t code_of(const Bytes& response) {
  proto::ByteReader reader(response);
  reader.skip(6);
  return reader.be32();
}

std::uint32_t handle_in(const Bytes& response) {
  return proto::ByteReader(proto::Bytes(response).subspan(tpm::kHeaderSize)).be32();
}

// The same refusal, whoever says it: a missing object is TPM_RC_HANDLE to the resource manager and
// TPM_RC_REFERENCE_H0 to the TPM.
std::uint32_t normalized(std::uint32_t code) {
  const std::uint32_t bare = code & 0xFFFF;
  return bare == 0x18B ? 0x910 : bare;
}

class Pair {
 public:
  // Something that has a handle or blob on both sides.
  template <typename T>
  struct Both {
    T shared;
    T alone;
  };

  Pair(RealTpm& tpm, SoftwareTpm& chip, UserId user, std::uint32_t seed)
      : tpm_(tpm), model_(chip), random_(seed) {
    static std::uint64_t contexts = 1000;
    context_ = ContextId{++contexts};
    tpm_.bench.manager.open_context(context_, user);
  }

  void step() {
    switch (pick(16)) {
      case 0:
      case 1:
        create(command::create_primary(tpm::kRhOwner, byte()));
        break;
      case 2:
        create(command::start_hash());
        break;
      case 3:
        both(command::read_public(object()));
        break;
      case 4:
        sign();
        break;
      case 5:
      case 6:
        both(command::update(object(), byte()));
        break;
      case 7:
        complete();
        break;
      case 8:
        flush_object();
        break;
      case 9:
        save_object();
        break;
      case 10:
        load_object();
        break;
      case 11:
        start_session();
        break;
      case 12:
        extend_policy();
        break;
      case 13:
        flush_session();
        break;
      case 14:
        save_session();
        break;
      default:
        load_session();
        break;
    }
    check_handles();
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(random_()); }
  // Mostly one that exists.
  std::uint32_t object() {
    if (objects_.empty() || pick(10) == 0) {
      return tpm::kTransientFirst + static_cast<std::uint32_t>(pick(kRoom));
    }
    return objects_[pick(objects_.size())];
  }

  // The TPM alone is asked again when it wants that; the resource manager must not let it show.
  Bytes alone(const Bytes& command) {
    Bytes response = model_.run(command);
    for (int i = 0; i < 10 && code_of(response) == 0x922; ++i) response = model_.run(command);
    return response;
  }

  Both<Bytes> run(const Bytes& shared, const Bytes& single) {
    Both<Bytes> responses{tpm_.bench.submit(context_, shared), alone(single)};
    INFO("command code " << std::hex << tpm::command_code_of(single));
    REQUIRE(normalized(code_of(responses.shared)) == normalized(code_of(responses.alone)));
    return responses;
  }

  // The whole response must be the same.
  Bytes both(const Bytes& bytes) {
    const auto responses = run(bytes, bytes);
    if (code_of(responses.alone) == 0) REQUIRE(responses.shared == responses.alone);
    return responses.alone;
  }

  // Returns a handle that must be the same, and what else comes with it.
  void create(const Bytes& bytes) {
    if (objects_.size() == kRoom) return;
    const auto responses = run(bytes, bytes);
    REQUIRE(code_of(responses.alone) == 0);
    REQUIRE(handle_in(responses.shared) == handle_in(responses.alone));
    objects_.push_back(handle_in(responses.alone));
  }

  // Signatures are random.
  void sign() {
    const Bytes bytes = command::sign(object());
    run(bytes, bytes);
  }

  void forget(std::uint32_t handle) { std::erase(objects_, handle); }

  void complete() {
    const std::uint32_t sequence = object();
    if (code_of(both(command::complete(sequence))) == 0) forget(sequence);
  }

  void flush_object() {
    const std::uint32_t handle = object();
    if (code_of(both(tpm::build::flush_context(handle))) == 0) forget(handle);
  }

  static Bytes blob_in(const Bytes& response) {
    return {response.begin() + tpm::kHeaderSize, response.end()};
  }

  void save_object() {
    const Bytes bytes = tpm::build::context_save(object());
    const auto responses = run(bytes, bytes);
    if (code_of(responses.alone) != 0) return;
    saved_objects_.push_back({blob_in(responses.shared), blob_in(responses.alone)});
  }

  void load_object() {
    if (saved_objects_.empty() || objects_.size() == kRoom) return;
    const auto& blob = saved_objects_[pick(saved_objects_.size())];
    const auto responses =
        run(tpm::build::context_load(blob.shared), tpm::build::context_load(blob.alone));
    if (code_of(responses.alone) != 0) return;
    REQUIRE(handle_in(responses.shared) == handle_in(responses.alone));
    objects_.push_back(handle_in(responses.alone));
  }

  void start_session() {
    if (sessions_.size() == kRoom || sessions_.size() + saved_sessions_.size() == 8) return;
    const auto responses = run(command::start_policy(), command::start_policy());
    REQUIRE(code_of(responses.alone) == 0);
    sessions_.push_back({handle_in(responses.shared), handle_in(responses.alone)});
  }

  void extend_policy() {
    if (sessions_.empty()) return;
    const auto& session = sessions_[pick(sessions_.size())];
    run(command::policy_command_code(session.shared, TPM2_CC_Sign),
        command::policy_command_code(session.alone, TPM2_CC_Sign));
    const auto digests =
        run(command::policy_digest(session.shared), command::policy_digest(session.alone));
    REQUIRE(digests.shared == digests.alone);
  }

  void flush_session() {
    if (sessions_.empty()) return;
    const std::size_t at = pick(sessions_.size());
    run(tpm::build::flush_context(sessions_[at].shared),
        tpm::build::flush_context(sessions_[at].alone));
    sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void save_session() {
    if (sessions_.empty()) return;
    const std::size_t at = pick(sessions_.size());
    const auto responses = run(tpm::build::context_save(sessions_[at].shared),
                               tpm::build::context_save(sessions_[at].alone));
    REQUIRE(code_of(responses.alone) == 0);
    saved_sessions_.push_back({blob_in(responses.shared), blob_in(responses.alone)});
    sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // Also with blobs that were loaded before: those are refused.
  void load_session() {
    if (saved_sessions_.empty() || sessions_.size() == kRoom) return;
    const std::size_t at = pick(saved_sessions_.size());
    const auto blob = saved_sessions_[at];
    const auto responses =
        run(tpm::build::context_load(blob.shared), tpm::build::context_load(blob.alone));
    if (pick(4) != 0 || code_of(responses.alone) != 0) {
      saved_sessions_.erase(saved_sessions_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    if (code_of(responses.alone) != 0) return;
    sessions_.push_back({handle_in(responses.shared), handle_in(responses.alone)});
  }

  // What each lists of its own.
  void check_handles() {
    both(tpm::build::get_capability(tpm::cap::kHandles, tpm::kTransientFirst, 10));
    for (const std::uint32_t first : {tpm::kLoadedSessionFirst, tpm::kSavedSessionFirst}) {
      const Bytes query = tpm::build::get_capability(tpm::cap::kHandles, first, 64);
      const auto lists = run(query, query);
      REQUIRE(lists.shared.size() == lists.alone.size());
    }
  }

  RealTpm& tpm_;
  TpmProcess model_;
  std::mt19937 random_;
  ContextId context_{};
  std::vector<std::uint32_t> objects_;
  std::vector<Both<Bytes>> saved_objects_;
  std::vector<Both<std::uint32_t>> sessions_;
  std::vector<Both<Bytes>> saved_sessions_;
};

void play(exec::Options options, std::uint32_t seed, int steps) {
  RealTpm tpm(std::move(options));
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<Pair>> pairs;
  for (std::uint32_t i = 0; i < 5; ++i) {
    pairs.push_back(
        std::make_unique<Pair>(tpm, tpm.chip.software(), i % 2 == 0 ? kAlice : kBob, random()));
  }
  for (int i = 0; i < steps; ++i) {
    // Bursts of one context, as real programs send them.
    Pair& pair = *pairs[random() % pairs.size()];
    for (auto burst = random() % 4; burst < 4; ++burst) pair.step();
    if (random() % 16 == 0) tpm.bench.run_idle();
  }
  REQUIRE(tpm.bench.notes.differences.empty());
  REQUIRE(tpm.bench.notes.lost_handles.empty());
}

}  // namespace

TEST_CASE("contexts that share a TPM behave like contexts with one each", "[rm][model][power]") {
  const auto seed = GENERATE(1U, 2U, 3U);
  exec::Options options;
  options.share = seed == 3 ? exec::Share::Strict : exec::Share::Idle;
  play(options, seed, 500);
}

TEST_CASE("and the tables are true after every command of theirs", "[rm][model][power]") {
  play(verified(), 4, 250);
}

// By hand: `rm_tests '[model][long]'`.
TEST_CASE("and so for many more seeds", "[.][long][rm][model][power]") {
  const auto seed = GENERATE(range(100U, 200U));
  exec::Options options;
  options.share = seed % 2 == 0 ? exec::Share::Strict : exec::Share::Idle;
  play(options, seed, 2000);
}
