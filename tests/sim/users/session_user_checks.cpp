// What a user expects of the answers, and what it excuses.

#include <algorithm>
#include <vector>

#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/sim/simulation.h"
#include "tests/sim/users/session_user.h"

namespace tbs::sim {
namespace {

using proto::Bytes;

// Past ten seconds a command comes first, but others may be in the same case, and its own user may
// have sent many.
constexpr Time kLongestWait = 1 * kMinute;
constexpr Time kLongestOfMany = 4 * kMinute;
constexpr std::size_t kMany = 6;
// Commands of others that may begin between one of high priority and it: one that was next when it
// came, and one that has waited so long that it counts as more. One more each time that the TPM was
// not ready for a command: it is put off, or begins again.
constexpr std::uint64_t kBeforeHigh = 2;
// The queue is only filling again.
constexpr Time kAfterRestart = 5 * kSecond;

}  // namespace

bool SessionUser::excuses(const Waiting& waiting, std::uint32_t code) {
  if (waiting.op == Op::Nonsense) return true;
  if (waiting.thing != nullptr && waiting.thing->lost) return true;
  if (waiting.thing == nullptr || confused_) return confused_;
  // What a failed device has taken along.
  const bool known = waiting.thing->doubtful || sim_.losses.take(waiting.thing->made);
  if (!names_unknown(code) || !known) return false;
  waiting.thing->lost = confused_ = true;
  forget(waiting.thing);
  return true;
}

// A handle comes again when a failed device has taken along what had it, though nobody has noticed:
// what was sent to the old one has come to the new one.
void SessionUser::took_handle(const Waiting& waiting) {
  for (const SharedThing& other : std::vector(things_)) {
    if (other->handle != waiting.thing->handle) continue;
    // Sessions of who has most of them are flushed when nobody else has any to spare.
    const bool given_up = plan_.kind == Kind::Clumsy && other->kind == Thing::Kind::Session;
    if (!given_up && !other->doubtful && !sim_.losses.take(other->made)) {
      return broken("private-tpm", waiting, "a handle that it has already");
    }
    other->lost = other->doubtful = waiting.thing->doubtful = true;
    confused_ = !given_up;
    forget(other);
  }
}

// The number that the response has, behind the size of the parameters where it has a session.
void SessionUser::compare(const Waiting& waiting, proto::ByteReader& reader) {
  const bool sized = waiting.op != Op::ReadPublic && waiting.op != Op::PolicyDigest;
  if (sized) reader.skip(4);
  reader.skip(2);
  const std::uint64_t value = reader.be64();
  if (!reader.ok()) return broken("private-tpm", waiting, "a response that is too short");
  // What a key is cannot change, whatever was under way.
  const bool constant = waiting.thing->kind == Thing::Kind::Key && !waiting.thing->lost;
  if (value != waiting.expected && !confused_ && (constant || !waiting.thing->doubtful)) {
    broken("private-tpm", waiting, "another value than on a TPM of its own");
  }
  if (waiting.high) check_high(waiting);
}

void SessionUser::check_high(const Waiting& waiting) {
  const auto begun = sim_.board.high_begun.find(waiting.tag);
  if (begun == sim_.board.high_begun.end()) return;
  const std::uint64_t before = begun->second - waiting.begun_before - 1;
  sim_.board.high_begun.erase(begun);
  if (sim_.troubled_since(waiting.sent) || sim_.last_restart() + kAfterRestart >= waiting.sent)
    return;
  const std::uint64_t put_off = sim_.put_off() - waiting.put_off_before;
  if (before > kBeforeHigh + put_off) {
    broken("high-waits-one", waiting, std::to_string(before) + " commands of others came first");
  }
}

// Its own objects, and no other.
void SessionUser::check_own(const Waiting& waiting, Bytes response) {
  const auto list = tpm::parse_words(response, tpm::cap::kHandles);
  if (!list) return broken("private-tpm", waiting, "no list of handles");
  for (const std::uint32_t handle : list->items) {
    const bool own = std::ranges::any_of(
        things_, [&](const SharedThing& each) { return each->handle == handle; });
    // What is being made, or nobody knows about, has no handle here yet.
    const bool unknown = !waiting_.empty() || more_made_;
    if (!own && !unknown && !leaving_ && plan_.kind == Kind::Honest) {
      broken("no-crossing", waiting, "it is shown " + text_of(handle));
    }
  }
}

void SessionUser::check_waits() {
  const Time now = sim_.world.now();
  for (const auto& [request, waiting] : waiting_) {
    const Time since = std::max(waiting.sent, sim_.last_trouble());
    const Time longest = waiting_.size() > kMany ? kLongestOfMany : kLongestWait;
    if (now > since + longest) broken("no-starvation", waiting, "not answered for minutes");
  }
}

void SessionUser::check_end() {
  if (!waiting_.empty()) broken("answered-once", waiting_.begin()->second, "never answered");
  if (cancel_waits_ && open_) sim_.world.broken("answered-once", "a cancel was never answered");
}

}  // namespace tbs::sim
