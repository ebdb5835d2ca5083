// Clients that leave in good order or not quite: with commands waiting, or with one half of the
// connection closed.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Status;

TEST_CASE("the waiting commands of a client that leaves are dropped") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient leaver = bench.context();
  RawClient neighbour = bench.context();
  bench.occupy_tpm(blocker);
  for (std::uint64_t id = 1; id <= 10; ++id) leaver.submit(id, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(leaver, 10, 0));
  neighbour.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(neighbour, 1, 0));
  const std::uint64_t context = leaver.context_id();
  const std::uint64_t sent_before = bench.status().commands;
  leaver.close();
  CHECK(bench.wait_until_gone(context));
  CHECK(bench.status().queued == 1);
  bench.thaw_tpm();
  CHECK(blocker.receive_result().status == Status::Success);
  CHECK(neighbour.receive_result().status == Status::Success);
  CHECK(bench.status().commands == sent_before + 2);
  CHECK(tpm::handles(neighbour.response(tpm::get_handles(tpm::kTransientFirst))).empty());
}

TEST_CASE("the running command of a client that leaves is cancelled, what it makes is flushed") {
  TestBench bench;
  RawClient leaver = bench.context();
  bench.freeze_tpm();
  leaver.submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(leaver, 0, 1));
  const std::uint64_t context = leaver.context_id();
  leaver.close();
  CHECK(bench.wait_until_gone(context));
  bench.thaw_tpm();
  RawClient next = bench.context();
  CHECK(next.call(tpm::get_random(8)).status == Status::Success);
  CHECK(tpm::handles(next.response(tpm::get_handles(tpm::kTransientFirst))).empty());
}

TEST_CASE("a client that closes its sending half has left") {
  TestBench bench;
  RawClient blocker = bench.context();
  RawClient half = bench.context();
  bench.occupy_tpm(blocker);
  half.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(half, 1, 0));
  half.shut_down_sending();
  CHECK_FALSE(half.receive());
  CHECK(bench.wait_until_gone(half.context_id()));
  bench.thaw_tpm();
  CHECK(blocker.receive_result().status == Status::Success);
}
