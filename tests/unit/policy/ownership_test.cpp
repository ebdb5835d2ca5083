#include "daemon/policy/ownership.h"

#include "tests/support/catch2.h"

using namespace tbs;
using policy::LastingChange;
using policy::Ownership;
using rules::Owner;
using Kind = LastingChange::Kind;

namespace {

constexpr AccountId kAlice{1001};
constexpr AccountId kBob{1002};
constexpr std::uint32_t kIndex = 0x01500001;
constexpr std::uint32_t kKey = 0x81000001;
constexpr std::uint64_t kNow = 1'700'000'000;
constexpr std::uint64_t kHour = 3600 * 1000;

LastingChange makes(std::uint32_t handle, std::uint32_t bytes = 8, bool open = false) {
  return {.kind = Kind::Makes, .handle = handle, .bytes = bytes, .open = open};
}
LastingChange makes_key(std::uint32_t handle) {
  return {.kind = Kind::Makes, .handle = handle, .persistent = true};
}
LastingChange removes(std::uint32_t handle) {
  return {.kind = Kind::Removes, .handle = handle};
}

Ownership known() {
  Ownership ownership;
  ownership.learn({.nv_indices = {0x01C00002}}, kNow);
  ownership.apply(makes(kIndex), kAlice);
  ownership.apply(makes_key(kKey), kAlice);
  return ownership;
}

}  // namespace

TEST_CASE("who made it may remove it, and nobody else", "[policy][ownership]") {
  Ownership ownership = known();
  CHECK(ownership.owner_of(removes(kIndex), kAlice) == Owner::Self);
  CHECK(ownership.owner_of(removes(kIndex), kBob) == Owner::Other);
  CHECK(ownership.owner_of(removes(kKey), kBob) == Owner::Other);
  // What was there before, and what nobody knows.
  CHECK(ownership.owner_of(removes(0x01C00002), kAlice) == Owner::Other);
  CHECK(ownership.owner_of(removes(0x01500099), kAlice) == Owner::Other);
  // To make something takes nothing from anybody.
  CHECK_FALSE(ownership.owner_of(makes(0x01500099), kBob));
  ownership.apply(removes(kIndex), kAlice);
  CHECK(ownership.owner_of(removes(kIndex), kAlice) == Owner::Other);
  ownership.apply(makes(kIndex), kBob);
  CHECK(ownership.owner_of(removes(kIndex), kAlice) == Owner::Other);
  CHECK(ownership.owner_of(removes(kIndex), kBob) == Owner::Self);
}

TEST_CASE("an index without a value of its own is its maker's to change", "[policy][ownership]") {
  Ownership ownership = known();
  ownership.apply(makes(0x01500002, 8, true), kAlice);
  const auto change = [](std::uint32_t handle, bool by_own_value) {
    return LastingChange{.kind = Kind::Changes, .handle = handle, .by_own_value = by_own_value};
  };
  CHECK(ownership.owner_of(change(0x01500002, true), kBob) == Owner::Other);
  CHECK(ownership.owner_of(change(0x01500002, true), kAlice) == Owner::Self);
  // Who knows the value of this one may.
  CHECK_FALSE(ownership.owner_of(change(kIndex, true), kBob));
  CHECK(ownership.owner_of(change(kIndex, false), kBob) == Owner::Other);
  CHECK_FALSE(ownership.owner_of(change(0x01C00002, true), kBob));
  CHECK(ownership.owner_of(change(0x01C00002, false), kBob) == Owner::Other);
}

TEST_CASE("a TPM 1.2 replaces what has the same number", "[policy][ownership]") {
  LastingChange again = makes(kIndex);
  again.replaces = true;
  Ownership ownership;
  // Not known to be free.
  CHECK(ownership.owner_of(again, kAlice) == Owner::Other);
  ownership.learn({.nv_indices = {kIndex}}, kNow);
  CHECK(ownership.owner_of(again, kAlice) == Owner::Other);
  ownership.learn({}, kNow);
  CHECK_FALSE(ownership.owner_of(again, kAlice));
  ownership.apply(again, kAlice);
  CHECK(ownership.owner_of(again, kAlice) == Owner::Self);
  CHECK(ownership.owner_of(again, kBob) == Owner::Other);
  again.hidden = true;
  CHECK(ownership.owner_of(again, kAlice) == Owner::Other);
  // It may have been this one: nobody's, from then on.
  ownership.apply(again, kBob);
  CHECK(ownership.owner_of(removes(kIndex), kAlice) == Owner::Other);
  CHECK(ownership.owner_of(removes(kIndex), kBob) == Owner::Other);
}

TEST_CASE("what an account has", "[policy][ownership]") {
  Ownership ownership = known();
  ownership.apply(makes(0x01500002, 100), kAlice);
  CHECK(ownership.of(kAlice).nv_bytes == 108);
  CHECK(ownership.of(kAlice).nv_indices == 2);
  CHECK(ownership.of(kAlice).persistent_objects == 1);
  CHECK(ownership.of(kBob).nv_indices == 0);
  CHECK(ownership.usage().size() == 1);
}

TEST_CASE("what is known outlives the process", "[policy][ownership]") {
  Ownership ownership = known();
  ownership.apply(makes(0x01500002, 100, true), kBob);
  Ownership next;
  next.from_text(ownership.to_text());
  CHECK(next.to_text() == ownership.to_text());
  CHECK(next.owner_of(removes(kKey), kAlice) == Owner::Self);
  CHECK(next.of(kBob).nv_bytes == 100);
  CHECK(next.entries().at(0x01500002).open);
  next.from_text(
      "nv 1\nnv x 1 1 1\npersistent 5 8589934592\nnv 7 1001 8 0 9\n\ntpm 1\nnv 6 1001 8 0");
  CHECK(next.entries().size() == 1);
  CHECK(next.entries().contains(6));
  CHECK(Ownership().to_text().empty());
}

TEST_CASE("what has gone from the TPM has no owner", "[policy][ownership]") {
  Ownership ownership = known();
  ownership.learn({.nv_indices = {0x01C00002}, .persistent_handles = {kKey}}, kNow);
  CHECK(ownership.owner_of(removes(kIndex), kAlice) == Owner::Other);
  CHECK(ownership.owner_of(removes(kKey), kAlice) == Owner::Self);
  // Somebody made it again, past the daemon.
  ownership.learn({.nv_indices = {kIndex}}, kNow);
  CHECK(ownership.owner_of(removes(kIndex), kAlice) == Owner::Other);
}

TEST_CASE("another TPM, or a cleared one, has nothing of users", "[policy][ownership]") {
  const auto still_alices = [](const tpm::Age& before, const tpm::Age& found, std::uint64_t seconds,
                               bool same = false) {
    Ownership ownership;
    ownership.learn({.age = before}, kNow);
    ownership.apply(makes(kIndex), kAlice);
    Ownership next;
    next.from_text(ownership.to_text());
    next.learn({.nv_indices = {kIndex}, .age = found, .same_tpm = same}, kNow + seconds);
    return next.owner_of(removes(kIndex), kAlice) == Owner::Self;
  };
  const tpm::Age before{.milliseconds = 1000 * kHour, .resets = 20};
  CHECK(still_alices(before, before, 0));
  CHECK(still_alices(before, {.milliseconds = 1002 * kHour, .resets = 21}, 7200));
  CHECK_FALSE(still_alices(before, {.milliseconds = 1002 * kHour, .resets = 19}, 7200));
  CHECK_FALSE(still_alices(before, {.milliseconds = 5 * kHour, .resets = 21}, 7200));
  CHECK_FALSE(still_alices(before, {.milliseconds = 2000 * kHour, .resets = 21}, 7200));
  // A power failure takes a little of the clock.
  CHECK(still_alices(before, {.milliseconds = 999 * kHour, .resets = 21}, 60));
  // An administrator has set the clock.
  CHECK(still_alices(before, {.milliseconds = 2000 * kHour, .resets = 20}, 60, true));
}

TEST_CASE("a definition whose answer was lost is found by the next look", "[policy][ownership]") {
  Ownership ownership = known();
  const auto look = [&](std::vector<std::uint32_t> indices) {
    indices.push_back(0x01C00002);
    ownership.learn({.nv_indices = std::move(indices)}, kNow);
  };
  ownership.expect(makes(0x01500005), kBob);
  look({0x01500005});
  CHECK(ownership.owner_of(removes(0x01500005), kBob) == Owner::Self);
  // What was there is not the account's because it tried to make it.
  ownership.expect(makes(0x01C00002), kBob);
  look({});
  CHECK(ownership.owner_of(removes(0x01C00002), kBob) == Owner::Other);
  ownership.expect(makes(0x01500006), kBob);
  ownership.expect_nothing();
  look({0x01500006});
  CHECK(ownership.owner_of(removes(0x01500006), kBob) == Owner::Other);
}

TEST_CASE("tenants keep what they made, and administrators share theirs", "[policy][ownership]") {
  const AccountId tenant = account_of(UserId{kTenantBit | 1001});
  const AccountId root = administrators_account(UserId{0});
  Ownership before;
  before.learn({}, kNow);
  before.apply(makes(0x01500001), tenant);
  before.apply(makes(0x01500002), root);
  Ownership after;
  after.from_text(before.to_text());
  CHECK(after.owner_of(removes(0x01500001), tenant) == Owner::Self);
  CHECK(after.owner_of(removes(0x01500001), account_of(UserId{1001})) == Owner::Other);
  // Root in a container is not the host's root.
  CHECK(after.owner_of(removes(0x01500002), account_of(UserId{0})) == Owner::Other);
  CHECK_FALSE(before.entries().at(0x01500002).account);
}
