#include "daemon/server/sticky_requests.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

TEST_CASE("a context makes its objects sticky, and no longer", "[server][sticky]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  link->send_from_client(2, proto::MakeSticky{.handle = tpm::kTransientFirst + 1, .sticky = 1});
  CHECK(link->take_only<proto::MakeStickyReply>()->status == Status::Success);
  bench.sink.sticky_status = Status::TooManyResources;
  link->send_from_client(3, proto::MakeSticky{.handle = tpm::kTransientFirst + 1, .sticky = 0});
  CHECK(link->take_only<proto::MakeStickyReply>()->status == Status::TooManyResources);
  CHECK(bench.sink.sticky ==
        std::vector<FakeSink::Sticky>{{ContextId{link->id()}, tpm::kTransientFirst + 1, true},
                                      {ContextId{link->id()}, tpm::kTransientFirst + 1, false}});
}

TEST_CASE("sticky is yes or no", "[server][sticky]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  link->send_from_client(2, proto::MakeSticky{.handle = tpm::kTransientFirst + 1, .sticky = 2});
  CHECK(link->take_only<proto::MakeStickyReply>()->status == Status::BadParameter);
  CHECK(bench.sink.sticky.empty());
}

TEST_CASE("an observer has nothing to make sticky", "[server][sticky]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  link->send_from_client(2, proto::MakeSticky{.handle = tpm::kTransientFirst + 1, .sticky = 1});
  CHECK(link->closed());
}
