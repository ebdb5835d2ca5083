#include "daemon/exec/guard_chain.h"

#include "tests/support/catch2.h"
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
  std::optional<Buffer> question(const ClientCommand&) override { return asks; }
  void answered(proto::Bytes) override { ++answers; }
  [[nodiscard]] bool watches(const ClientCommand&) const override { return curious; }
  void responded(const ClientCommand&, proto::Bytes) override { ++seen; }

  std::optional<Buffer> answer;
  std::optional<Buffer> asks;
  int answers = 0;
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

TEST_CASE("the guard that has asked gets the answer", "[exec]") {
  ScriptedGuard first;
  ScriptedGuard second;
  GuardChain chain{&first, &second};
  const auto command = test::client_command({});
  CHECK_FALSE(chain.question(*command));
  chain.answered({});
  CHECK(first.answers + second.answers == 0);
  second.asks = Buffer{2};
  CHECK(chain.question(*command) == Buffer{2});
  chain.answered({});
  CHECK(second.answers == 1);
  first.asks = Buffer{1};
  CHECK(chain.question(*command) == Buffer{1});
  chain.answered({});
  CHECK(first.answers == 1);
  CHECK(second.answers == 1);
}
