// What the TPM 1.2 resource manager decides from its tables.

#include "daemon/rm12/capability.h"
#include "daemon/rm12/eviction.h"
#include "daemon/rm12/operation.h"
#include "daemon/rm12/plan.h"
#include "daemon/rm12/reconcile.h"
#include "proto/tpm12/commands.h"
#include "tests/support/catch2.h"
#include "tests/support/observer_notes.h"
#include "tests/support/virtual_handles12.h"

using namespace tbs;
using namespace tbs::rm12;
namespace ord = tpm12::ord;
namespace rc = tpm12::rc;
using exec::PhysicalHandle;
using tbs::test::kFirstAuth;
using tbs::test::kFirstKey;
using tbs::test::Notes;

namespace {

constexpr ContextId kFirst{1};
constexpr ContextId kSecond{2};

// Of a session below the line, behind its handle.
constexpr std::size_t kAuthTail = tpm12::kCommandAuthSize - tpm12::kHandleSize;

struct Tables {
  Tables() {
    state.table.open_context(kFirst, principal_of(UserId{1}));
    state.table.open_context(kSecond, principal_of(UserId{2}));
    state.facts.keys.set(2);
    state.facts.auths.set(2);
  }

  Resource& key(std::uint32_t physical, bool saved, ContextId owner = kFirst) {
    Resource& made = state.table.add(owner, Kind::Key, PhysicalHandle{physical});
    made.identity = physical;
    made.last_used = state.next_use();
    if (saved) made.saved.store({1});
    return made;
  }
  Resource& session(std::uint32_t physical, Resource* bound = nullptr, ContextId owner = kFirst) {
    Resource& made = state.table.add(owner, Kind::Auth, PhysicalHandle{physical});
    made.last_used = state.next_use();
    made.key = bound;
    made.needs_key = bound != nullptr;
    if (bound != nullptr) made.identity = bound->identity;
    return made;
  }
  Resource& saved_session(std::uint32_t count, ContextId owner = kFirst) {
    Resource& made = session(0x900 + count, nullptr, owner);
    state.table.set_evicted(made);
    made.saved.store({1});
    made.count = count;
    return made;
  }

  Notes notes;
  State state{{}, notes};
};

// The code of a command with this ordinal and these words behind the header.
proto::Buffer command(std::uint32_t ordinal, std::initializer_list<std::uint32_t> words,
                      std::uint8_t sessions = 0) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(static_cast<std::uint16_t>(tpm12::kTagCommand + sessions));
  writer.be32(
      static_cast<std::uint32_t>(tpm12::kHeaderSize + 4 * words.size() + kAuthTail * sessions));
  writer.be32(ordinal);
  for (const std::uint32_t word : words) writer.be32(word);
  writer.bytes(proto::Buffer(kAuthTail * sessions));
  return bytes;
}

std::uint32_t fault(Tables& tables, const proto::Buffer& bytes, ContextId context = kFirst) {
  const auto view = tpm12::parse_command(bytes);
  REQUIRE(view);
  const auto plan = make_plan(tables.state, context, *view, nullptr);
  return plan ? 0 : plan.error().code;
}

}  // namespace

TEST_CASE("the key used least recently makes room, saved first", "[rm12]") {
  Tables tables;
  Resource& old = tables.key(1, false);
  Resource& recent = tables.key(2, true);
  auto step = make_room(tables.state, Kind::Key, {}, 1);
  REQUIRE(step);
  CHECK(step->verb == Verb::Save);
  CHECK(step->resource == &old);
  old.saved.store({1});
  step = make_room(tables.state, Kind::Key, {}, 1);
  CHECK(step->verb == Verb::Flush);
  Resource* const pinned[] = {&old};
  CHECK(make_room(tables.state, Kind::Key, pinned, 1)->resource == &recent);
  CHECK_FALSE(make_room(tables.state, Kind::Key, {}, 0));
  CHECK_FALSE(make_room(tables.state, Kind::Auth, {}, 2));
}

TEST_CASE("sessions of a key pair leave before a key of it does", "[rm12]") {
  Tables tables;
  Resource& key = tables.key(1, true);
  Resource& twin = tables.key(2, true, kSecond);
  twin.identity = key.identity;
  Resource& hers = tables.session(3, &key);
  Resource& his = tables.session(4, &twin, kSecond);
  tables.session(5);
  const auto first = evict(tables.state, Kind::Key, {});
  CHECK(first->verb == Verb::Save);
  tables.state.table.set_evicted(hers);
  CHECK(evict(tables.state, Kind::Key, {})->resource == &his);
  tables.state.table.set_evicted(his);
  CHECK(evict(tables.state, Kind::Key, {})->verb == Verb::Flush);
}

TEST_CASE("strays go first, and a stray key not before the sessions that it would end", "[rm12]") {
  Tables tables;
  Resource& key = tables.key(1, true);
  Resource& session = tables.session(3, &key);
  const Stray stray{.kind = Kind::Key,
                    .handle = PhysicalHandle{9},
                    .saved = false,
                    .count = 0,
                    .identity = key.identity};
  tables.state.strays.push_back(stray);
  CHECK(evict(tables.state, Kind::Key, {})->resource == &session);
  tables.state.table.set_evicted(session);
  const auto step = evict(tables.state, Kind::Key, {});
  CHECK(step->verb == Verb::FlushStray);
  CHECK(command_of(*step) == tpm12::build::flush_specific(9, 1));
}

TEST_CASE("the user with most sessions gives up the one used least recently", "[rm12]") {
  Tables tables;
  tables.saved_session(1, kSecond);
  CHECK(session_to_drop(tables.state, {}) != nullptr);
  Resource& oldest = tables.saved_session(2);
  tables.saved_session(3);
  tables.session(7, nullptr, kSecond);
  tables.session(8);
  CHECK(session_to_drop(tables.state, {}) == &oldest);
  Resource* const pinned[] = {&oldest};
  CHECK(session_to_drop(tables.state, pinned)->count == 3);
}

TEST_CASE("the oldest saved session is renewed in time", "[rm12]") {
  Tables tables;
  tables.state.facts.context_distance = 100;
  Resource& oldest = tables.saved_session(10);
  tables.saved_session(20);
  tables.state.newest_count = 59;
  CHECK(session_to_renew(tables.state) == nullptr);
  tables.state.newest_count = 80;
  CHECK(session_to_renew(tables.state) == &oldest);
  oldest.old_style = true;
  CHECK(session_to_renew(tables.state)->count == 20);
}

TEST_CASE("a command's handles are its context's own", "[rm12]") {
  Tables tables;
  tables.key(1, true);
  tables.session(2);
  CHECK(fault(tables, command(ord::kSign, {kFirstKey, kFirstAuth}, 1)) == 0);
  CHECK(fault(tables, command(ord::kSign, {kFirstKey, kFirstAuth + 1}, 1)) ==
        rc::kInvalidAuthHandle);
  CHECK(fault(tables, command(ord::kSign, {kFirstKey + 1})) == rc::kInvalidKeyHandle);
  CHECK(fault(tables, command(ord::kSign, {kFirstKey}), kSecond) == rc::kInvalidKeyHandle);
  CHECK(fault(tables, command(ord::kSign, {1})) == rc::kInvalidKeyHandle);
  CHECK(fault(tables, command(ord::kSign, {tpm12::kReservedSrk})) == 0);
  tables.state.table.permanent_keys = {PhysicalHandle{77}};
  CHECK(fault(tables, command(ord::kSign, {77}), kSecond) == 0);
  // The first stage makes the session.
  CHECK(fault(tables, command(ord::kDaaSign, {5, 0})) == 0);
  CHECK(fault(tables, command(ord::kDaaSign, {5, kFirstKey})) == rc::kBadHandle);
}

TEST_CASE("a session brings its key along", "[rm12]") {
  Tables tables;
  Resource& key = tables.key(1, true);
  Resource& session = tables.session(2, &key);
  const proto::Buffer bytes = command(ord::kTakeOwnership, {kFirstAuth}, 1);
  const auto view = tpm12::parse_command(bytes);
  REQUIRE(view);
  const auto plan = make_plan(tables.state, kFirst, *view, nullptr);
  REQUIRE(plan);
  CHECK(plan->keys.all().front() == &key);
  CHECK(plan->auths[0] == &session);
  CHECK(plan->placements.all().front() ==
        Placement{.offset = tpm12::kHeaderSize, .resource = &session});
}

TEST_CASE("to ask for what is lost changes nothing", "[rm12]") {
  Tables tables;
  Resource& key = tables.key(1, false);
  tables.session(2, &key);
  tables.state.table.set_evicted(key);
  const proto::Buffer bytes = command(ord::kTakeOwnership, {kFirstAuth}, 1);
  const auto view = tpm12::parse_command(bytes);
  REQUIRE(view);
  const auto plan = make_plan(tables.state, kFirst, *view, nullptr);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == rc::kInvalidAuthHandle);
  CHECK(plan.error().lost == &key);
  CHECK(tables.state.table.all().size() == 2);
  CHECK(tables.notes.lost_handles.empty());
}

TEST_CASE("operations and what they mean for the tables", "[rm12]") {
  Tables tables;
  Resource& key = tables.key(1, false);
  Resource& session = tables.session(2, &key);
  proto::Buffer blob = {0, 1, 0, 0, 0, 2, 0, 0, 0, 2};
  blob.resize(10 + 16);
  blob.insert(blob.end(), {0, 0, 0, 9});
  blob.resize(blob.size() + 20);
  proto::Buffer sized = {0, 0, 0, static_cast<std::uint8_t>(blob.size())};
  sized.insert(sized.end(), blob.begin(), blob.end());
  const auto saved = tpm12::response_with(proto::Bytes(sized));
  CHECK(apply(tables.state, save(session), *tpm12::parse_response(saved)));
  CHECK_FALSE(session.loaded);
  CHECK(session.count == 9);
  CHECK(tables.state.newest_count == 9);
  CHECK(apply(tables.state, save(key), *tpm12::parse_response(saved)));
  CHECK(key.loaded);
  CHECK(
      apply(tables.state, flush(key), *tpm12::parse_response(tpm12::bare_response(rc::kSuccess))));
  CHECK_FALSE(key.loaded);
  // A session is loaded beside the key that it is bound to.
  const auto loaded = tpm12::response_with(0x21);
  CHECK(apply(tables.state, load(key), *tpm12::parse_response(loaded)));
  CHECK(command_of(load(session)) == tpm12::build::load_context(0x21, blob));
  CHECK(apply(tables.state, load(session), *tpm12::parse_response(loaded)));
  CHECK(!session.saved.current());
  CHECK_FALSE(apply(tables.state, save(key), *tpm12::parse_response(loaded)));
}

TEST_CASE("operations that fail", "[rm12]") {
  Tables tables;
  Resource& session = tables.saved_session(5);
  CHECK_FALSE(apply_failure(tables.state, load(session), rc::kResources));
  CHECK(apply_failure(tables.state, load(session), rc::kBadContext));
  CHECK(tables.state.table.all().empty());
  CHECK(tables.state.check_due);
  // Its place in the TPM's list is given up, if it has one.
  REQUIRE(tables.state.strays.size() == 1);
  CHECK(tables.state.strays.front().saved);
  tables.state.strays.clear();
  Resource& key = tables.key(1, true);
  CHECK(apply_failure(tables.state, flush(key), rc::kBadParameter));
  CHECK_FALSE(key.loaded);
  tables.state.table.set_loaded(key, PhysicalHandle{6});
  CHECK(apply_failure(tables.state, flush(key), rc::kKeyOwnerControl));
  CHECK(key.permanent);
  CHECK(tables.state.table.permanent_keys == std::vector<PhysicalHandle>{PhysicalHandle{6}});
  const Stray stray{
      .kind = Kind::Key, .handle = PhysicalHandle{8}, .saved = false, .count = 0, .identity = {}};
  tables.state.strays.push_back(stray);
  CHECK(apply_failure(tables.state, flush(stray), rc::kKeyOwnerControl));
  CHECK(tables.state.strays.empty());
  CHECK(tables.state.table.permanent_keys.size() == 2);
}

TEST_CASE("the tables follow the TPM's lists", "[rm12]") {
  Tables tables;
  const Resource& kept = tables.key(1, true);
  const Resource& evicted = tables.key(2, true);
  tables.key(3, false);
  tables.session(4);
  tables.saved_session(5);
  HandleLists lists;
  lists.keys = {PhysicalHandle{1}};
  lists.auths = std::vector<PhysicalHandle>{};
  CHECK(difference(tables.state, lists) == "the TPM has fewer keys");
  const Losses losses = drop_missing(tables.state, lists);
  CHECK(losses.keys == 1);
  CHECK(losses.sessions == 1);
  CHECK(kept.loaded);
  CHECK_FALSE(evicted.loaded);
  CHECK(difference(tables.state, lists).empty());
  lists.saved_sessions = std::vector<std::uint32_t>{};
  CHECK(difference(tables.state, lists) == "the TPM does not know a saved session");
  CHECK(drop_missing(tables.state, lists).sessions == 1);

  lists.keys = {PhysicalHandle{1}, PhysicalHandle{8}};
  lists.saved_sessions = {6};
  CHECK(difference(tables.state, lists) == "the TPM has more keys");
  find_strays(tables.state, lists, false);
  REQUIRE(tables.state.strays.size() == 1);
  find_strays(tables.state, lists, true);
  CHECK(tables.state.strays.size() == 2);
}

TEST_CASE("a context sees its own handles and limits", "[rm12]") {
  Tables tables;
  tables.key(1, true);
  tables.key(2, true, kSecond);
  tables.state.table.permanent_keys = {PhysicalHandle{77}};
  const auto ask = [&](std::uint32_t area, std::uint32_t sub) {
    const auto reply = capability_from_memory(tables.state, kFirst, {.area = area, .sub = sub});
    REQUIRE(reply);
    return *reply;
  };
  const std::vector<std::uint32_t> keys = {kFirstKey, 77};
  CHECK(ask(tpm12::cap::kKeyHandle, 0) == tpm12::handle_list(keys));
  CHECK(ask(tpm12::cap::kHandle, static_cast<std::uint32_t>(Kind::Key)) ==
        tpm12::handle_list(keys));
  CHECK(ask(tpm12::cap::kHandle, static_cast<std::uint32_t>(Kind::Auth)) == tpm12::handle_list({}));
  CHECK(ask(tpm12::cap::kProperty, tpm12::prop::kMaxKeys) == tpm12::capability_word(64));
  CHECK(ask(tpm12::cap::kProperty, tpm12::prop::kKeys) == tpm12::capability_word(63));
  CHECK_FALSE(capability_from_memory(tables.state, kFirst, {.area = 6, .sub = 1u}));
  CHECK_FALSE(capability_from_memory(
      tables.state, kFirst, {.area = tpm12::cap::kProperty, .sub = tpm12::prop::kManufacturer}));
}

TEST_CASE("a session is saved each time, whatever was saved of it before", "[rm12][eviction]") {
  Tables tables;
  Resource& key = tables.key(1, true);
  // OIAP, then OSAP and DSAP, which are bound to what they authorize; and transport.
  Resource* const session = GENERATE(0, 1) == 0 ? &tables.session(7) : &tables.session(7, &key);
  session->saved.store({1});
  session->saved.note_use();
  CHECK_FALSE(session->saved.current());
  const auto step = evict(tables.state, Kind::Auth, {});
  REQUIRE(step);
  CHECK(step->verb == Verb::Save);
  Resource& transport = tables.state.table.add(kFirst, Kind::Transport, PhysicalHandle{8});
  transport.saved.store({1});
  CHECK(evict(tables.state, Kind::Transport, {})->verb == Verb::Save);
}

TEST_CASE("a key is saved once, and again after what may change it", "[rm12][eviction]") {
  Tables tables;
  Resource& key = tables.key(1, true);
  key.saved.note_use();
  CHECK(evict(tables.state, Kind::Key, {})->verb == Verb::Flush);
  key.saved.note_change();
  CHECK(evict(tables.state, Kind::Key, {})->verb == Verb::Save);
}
