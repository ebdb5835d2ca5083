// The model of the resource manager is a TPM alone: random commands of several contexts that share
// one TPM get the answers that each would get from a TPM of its own. The model TPMs have the same
// seeds, so keys, names and digests are the same; handles of objects must be the same too, and
// handles of sessions are translated. A context stays within three objects and three loaded
// sessions, because the model has no more room. What sequences compute is compared with OpenSSL,
// too: the model's time does not go by, that of the shared TPM does, and its housekeeping is
// interrupted at any step.

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "daemon/tpm/command_view.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/rm/fixture.h"
#include "tests/rm/response_fields.h"
#include "tests/support/catch2.h"
#include "tests/support/client_commands.h"
#include "tests/support/digest.h"
#include "tests/support/tpm_process.h"

using namespace tbs;
using namespace tbs::test;

namespace {

using Bytes = command::Bytes;

constexpr std::size_t kRoom = 3;
const Bytes kHmacKey(24, 0x4B);

// The same refusal, whoever says it: a missing object is TPM_RC_HANDLE to the resource manager and
// TPM_RC_REFERENCE_H0 to the TPM.
std::uint32_t normalized(std::uint32_t code) {
  const std::uint32_t bare = code & ~TSS2_RC_LAYER_MASK;
  return bare == tpm::at_handle(tpm::rc::kHandle, 1) ? tpm::rc::kReferenceH0 : bare;
}

class Pair {
 public:
  // Something that has a handle or blob on both sides.
  template <typename T>
  struct Both {
    T shared;
    T alone;
  };

  Pair(RealTpm& tpm, SoftwareTpm& chip, const Principal& user, std::uint32_t seed)
      : tpm_(tpm), model_(chip), random_(seed) {
    static std::uint64_t contexts = 1000;
    context_ = ContextId{++contexts};
    tpm_.bench.manager.open_context(context_, user);
  }

  void step() {
    switch (pick(20)) {
      case 0:
      case 1:
        create(command::create_primary(tpm::kRhOwner, byte()));
        break;
      case 2:
        start_hash();
        break;
      case 3:
        both(command::read_public(object()));
        break;
      case 4:
        sign();
        break;
      case 5:
      case 6:
      case 16:
      case 17:
        update();
        break;
      case 18:
        start_hmac();
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
  struct Sequence {
    bool hmac = false;
    Bytes message;
  };
  struct SavedObject {
    Both<Bytes> blobs;
    std::optional<Sequence> sequence;
  };

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
    for (int i = 0; i < 10 && code_of(response) == tpm::rc::kRetry; ++i)
      response = model_.run(command);
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

  void forget(std::uint32_t handle) {
    std::erase(objects_, handle);
    sequences_.erase(handle);
  }

  void start_hash() {
    if (objects_.size() == kRoom) return;
    create(command::start_hash());
    sequences_[objects_.back()] = {};
  }

  void start_hmac() {
    if (objects_.size() + 1 >= kRoom) return;
    create(command::load_hmac_key(kHmacKey));
    const std::uint32_t key = objects_.back();
    create(command::start_hmac(key));
    sequences_[objects_.back()] = {.hmac = true, .message = {}};
    both(tpm::build::flush_context(key));
    forget(key);
  }

  // Mostly of a sequence, and mostly several in a row.
  void update() {
    std::uint32_t handle = object();
    if (!sequences_.empty() && pick(8) != 0) {
      handle = std::next(sequences_.begin(), static_cast<std::ptrdiff_t>(pick(sequences_.size())))
                   ->first;
    }
    for (std::size_t more = 1 + pick(5); more != 0; --more) {
      const Bytes bytes(1 + pick(100), byte());
      if (code_of(both(command::update(handle, bytes))) != 0) continue;
      Bytes& message = sequences_.at(handle).message;
      message.insert(message.end(), bytes.begin(), bytes.end());
    }
  }

  void complete() {
    const std::uint32_t handle = object();
    const Bytes response = both(command::complete(handle));
    if (code_of(response) != 0) return;
    const auto& [hmac, message] = sequences_.at(handle);
    REQUIRE(digest_in(response) == (hmac ? hmac_sha256(kHmacKey, message) : sha256(message)));
    forget(handle);
  }

  void flush_object() {
    const std::uint32_t handle = object();
    if (code_of(both(tpm::build::flush_context(handle))) == 0) forget(handle);
  }

  static Bytes blob_in(const Bytes& response) {
    return {response.begin() + tpm::kHeaderSize, response.end()};
  }

  void save_object() {
    const std::uint32_t handle = object();
    const Bytes bytes = tpm::build::context_save(handle);
    const auto responses = run(bytes, bytes);
    if (code_of(responses.alone) != 0) return;
    std::optional<Sequence> sequence;
    if (const auto found = sequences_.find(handle); found != sequences_.end()) {
      sequence = found->second;
    }
    saved_objects_.push_back(
        {{blob_in(responses.shared), blob_in(responses.alone)}, std::move(sequence)});
  }

  void load_object() {
    if (saved_objects_.empty() || objects_.size() == kRoom) return;
    const auto& [blob, sequence] = saved_objects_[pick(saved_objects_.size())];
    const auto responses =
        run(tpm::build::context_load(blob.shared), tpm::build::context_load(blob.alone));
    if (code_of(responses.alone) != 0) return;
    REQUIRE(handle_in(responses.shared) == handle_in(responses.alone));
    objects_.push_back(handle_in(responses.alone));
    if (sequence) sequences_[objects_.back()] = *sequence;
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
  std::map<std::uint32_t, Sequence> sequences_;  // those of objects_ that are
  std::vector<SavedObject> saved_objects_;
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
    // A pause just about long enough: the next command meets housekeeping half way.
    if (random() % 2 == 0) tpm.bench.run_idle(random() % 10);
  }
  REQUIRE(tpm.bench.notes.differences.empty());
  REQUIRE(tpm.bench.notes.lost_handles.empty());
  REQUIRE(tpm.bench.notes.older_states.empty());
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
