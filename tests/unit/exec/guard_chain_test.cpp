#include "daemon/exec/guard_chain.h"

#include <catch2/catch.hpp>

#include "tests/support/client_command.h"

using namespace tbs;
using exec::GuardChain;
using proto::Buffer;

namespace {

class ScriptedGuard final : public CommandGuard {
 public:
  std::optional<Buffer> refusal(const ClientCommand&) override {
    ++asked;
    return answer;
  }
  [[nodiscard]] bool watches(const ClientCommand&) const override { return curious; }
  void responded(const ClientCommand&, proto::Bytes) override { ++seen; }

  std::optional<Buffer> answer;
  bool curious = false;
  int asked = 0;
  int seen = 0;
};

}  // namespace

TEST_CASE("the first guard that refuses decides, and each is told what it watches", "[exec]") {
  ScriptedGuard first;
  ScriptedGuard second;
  GuardChain chain{&first, &second};
  const auto command = test::client_command({});
  CHECK_FALSE(chain.refusal(*command));
  CHECK_FALSE(chain.watches(*command));
  second.curious = true;
  CHECK(chain.watches(*command));
  chain.responded(*command, test::kShortCommand);
  CHECK(first.seen == 0);
  CHECK(second.seen == 1);
  second.answer = Buffer{2};
  CHECK(chain.refusal(*command) == Buffer{2});
  first.answer = Buffer{1};
  CHECK(chain.refusal(*command) == Buffer{1});
  CHECK(second.asked == 2);
}
