#include "daemon/exec/kernel_use.h"

#include "tests/support/catch2.h"

using namespace std::chrono_literals;
using tbs::TimePoint;
using tbs::exec::KernelUse;
using tbs::exec::Share;
using Node = KernelUse::Node;

namespace {

constexpr TimePoint kStart{1h};
constexpr auto kMemory = KernelUse::kMemory;

}  // namespace

TEST_CASE("slots are left free for a program that cannot be seen", "[exec][kernel_use]") {
  KernelUse use;
  CHECK(use.share(kStart) == Share::Strict);
  use.set_node(Node::Unseen, kStart);
  CHECK(use.share(kStart + 24h) == Share::Strict);
  CHECK_FALSE(use.changes_at(kStart));
}

TEST_CASE("where there is no node, nobody is waited for", "[exec][kernel_use]") {
  KernelUse use;
  use.set_node(Node::None, kStart);
  CHECK(use.share(kStart) == Share::Idle);
  CHECK_FALSE(use.changes_at(kStart));
}

TEST_CASE("a program may have opened the node before it was watched", "[exec][kernel_use]") {
  KernelUse use;
  use.set_node(Node::Watched, kStart);
  CHECK(use.share(kStart) == Share::Strict);
  CHECK(use.changes_at(kStart) == kStart + kMemory);
  CHECK(use.share(kStart + kMemory - 1ns) == Share::Strict);
  CHECK(use.share(kStart + kMemory) == Share::Idle);
  CHECK_FALSE(use.changes_at(kStart + kMemory));
}

TEST_CASE("a program that was noticed is remembered for a while", "[exec][kernel_use]") {
  KernelUse use;
  use.set_node(Node::Watched, kStart);
  const TimePoint later = kStart + 2h;
  REQUIRE(use.share(later) == Share::Idle);
  use.noticed(later);
  CHECK(use.share(later) == Share::Strict);
  use.noticed(later + kMemory - 1s);
  CHECK(use.share(later + kMemory) == Share::Strict);
  CHECK(use.changes_at(later + kMemory) == later + 2 * kMemory - 1s);
  CHECK(use.share(later + 2 * kMemory) == Share::Idle);
}

TEST_CASE("what the kernel itself may need stays free at all times", "[exec][kernel_use]") {
  KernelUse use;
  use.set_kernel_itself(true);
  CHECK(use.share(kStart) == Share::Strict);
  use.set_node(Node::Watched, kStart);
  CHECK(use.share(kStart) == Share::Strict);
  CHECK(use.share(kStart + kMemory) == Share::Spare);
  use.set_node(Node::None, kStart);
  CHECK(use.share(kStart) == Share::Spare);
  use.set_kernel_itself(false);
  CHECK(use.share(kStart) == Share::Idle);
}

TEST_CASE("a node that is watched no longer counts as unseen", "[exec][kernel_use]") {
  KernelUse use;
  use.set_node(Node::Watched, kStart);
  use.noticed(kStart);
  use.set_node(Node::Unseen, kStart + 1h);
  CHECK(use.share(kStart + 1h) == Share::Strict);
  CHECK_FALSE(use.changes_at(kStart + 1h));
}
