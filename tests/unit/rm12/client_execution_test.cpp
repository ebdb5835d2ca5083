// A client's command from its bytes to the response, with a TPM 1.2 whose answers the test gives.

#include "daemon/rm12/client_execution.h"

#include <deque>

#include "daemon/tpm12/capability.h"
#include "tests/unit/rm12/command_bench.h"

using namespace tbs;
using namespace tbs::rm12;
using namespace tbs::rm12::test;
using Ordinals = std::vector<std::uint32_t>;

namespace {

class Scripted : public Tables {
 public:
  ClientExecution& begin(proto::Buffer bytes) {
    execution_ =
        std::make_unique<ClientExecution>(state, kContext, std::uint8_t{0}, std::move(bytes));
    return *execution_;
  }
  // The TPM's answers, one after the other. It lists what `listed` says, and does not mind the
  // rest.
  exec::Done finish(std::deque<proto::Buffer> answers) {
    exec::Step step = execution_->start();
    while (!std::holds_alternative<exec::Done>(step)) {
      if (std::holds_alternative<exec::Pause>(step)) {
        step = execution_->on_pause_over();
        continue;
      }
      last = std::get<exec::Transmit>(step).command;
      sent.push_back(proto::ByteReader(proto::Bytes(last).subspan(6)).be32());
      step = execution_->on_response(answer(answers));
    }
    CHECK(answers.empty());
    return std::get<exec::Done>(std::move(step));
  }

  static std::uint32_t code(const exec::Done& done) {
    return proto::ByteReader(proto::Bytes(done.response).subspan(6)).be32();
  }

  Ordinals sent;
  proto::Buffer last;
  // What the TPM says that it has, of every kind.
  std::vector<std::uint32_t> listed;

 private:
  proto::Buffer answer(std::deque<proto::Buffer>& answers) {
    if (sent.back() == ord::kGetCapability) return tpm12::handle_list(listed);
    if (answers.empty()) return tpm12::bare_response(rc::kSuccess);
    proto::Buffer next = std::move(answers.front());
    answers.pop_front();
    return next;
  }

  std::unique_ptr<ClientExecution> execution_;
};

proto::Buffer sign(std::initializer_list<std::uint32_t> sessions = {}) {
  return command(ord::kSign, words({kFirstKey}), sessions);
}

}  // namespace

TEST_CASE("what a command needs is loaded, and named as the TPM names it", "[rm12][execution]") {
  Scripted tpm;
  tpm.evict(tpm.key(5));
  tpm.begin(sign());
  const exec::Done done = tpm.finish({success(words({0x44})), success({1, 2})});
  CHECK(done.status == proto::Status::Success);
  CHECK(done.response == success({1, 2}));
  CHECK(tpm.sent == Ordinals{ord::kLoadContext, ord::kSign});
  CHECK(tpm.last == command(ord::kSign, words({0x44})));
}

TEST_CASE("a command that is withdrawn in time is not sent", "[rm12][execution]") {
  Scripted tpm;
  tpm.key(5);
  tpm.begin(sign()).withdraw();
  CHECK(tpm.finish({}).status == proto::Status::CommandCanceled);
  CHECK(tpm.sent.empty());
}

TEST_CASE("a context that has closed has no commands", "[rm12][execution]") {
  Scripted tpm;
  tpm.begin(sign());
  tpm.state.table.close_context(kContext);
  CHECK(tpm.finish({}).status == proto::Status::InvalidContext);
}

TEST_CASE("after a failure the sessions that the TPM has ended are given up", "[rm12][execution]") {
  Scripted tpm;
  tpm.key(5);
  tpm.session(6);
  tpm.listed = {5};
  tpm.begin(sign({kFirstAuth}));
  const exec::Done done = tpm.finish({tpm12::bare_response(rc::kAuthFail)});
  CHECK(Scripted::code(done) == rc::kAuthFail);
  CHECK(tpm.sent.size() == 6);
  CHECK(tpm.state.table.all().size() == 1);
}

TEST_CASE("a command that the TPM wants later ends, and its sessions are in doubt",
          "[rm12][execution][later]") {
  Scripted tpm;
  tpm.key(5);
  tpm.session(6);
  const bool with_session = GENERATE(false, true);
  tpm.begin(with_session ? sign({kFirstAuth}) : sign());
  const proto::Buffer retry = tpm12::bare_response(GENERATE(rc::kRetry, rc::kDoingSelfTest));
  const exec::Done done = tpm.finish({retry});
  CHECK(done.later == exec::Later::Command);
  CHECK(done.response == retry);
  CHECK(tpm.sent == Ordinals{ord::kSign});
  // Their handles may be those of others next time.
  CHECK(tpm.state.check_due == with_session);
}

TEST_CASE("a command is sent again when all that it needs has survived", "[rm12][execution]") {
  Scripted tpm;
  tpm.key(5);
  tpm.session(6);
  tpm.listed = {5, 6};
  tpm.begin(sign({kFirstAuth}));
  const exec::Done done = tpm.finish({tpm12::bare_response(rc::kBadHandle), success({}, {true})});
  CHECK(Scripted::code(done) == rc::kSuccess);
  CHECK(tpm.sent.back() == ord::kSign);
  CHECK(tpm.state.table.all().size() == 2);
}

TEST_CASE("a key that the TPM has lost is loaded anew", "[rm12][execution]") {
  Scripted tpm;
  Resource& key = tpm.key(5);
  key.saved.store(blob(Kind::Key, 5));
  tpm.begin(sign());
  const exec::Done done = tpm.finish(
      {tpm12::bare_response(rc::kInvalidKeyHandle), success(words({0x44})), success({9})});
  CHECK(done.response == success({9}));
  CHECK(tpm.last == command(ord::kSign, words({0x44})));
  CHECK(key.physical == PhysicalHandle{0x44});
}

TEST_CASE("a TPM 1.2 that was reset is started, and the command sent anew", "[rm12][execution]") {
  Scripted tpm;
  tpm.begin(command(ord::kGetRandom, words({8})));
  const exec::Done done =
      tpm.finish({tpm12::bare_response(rc::kInvalidPostInit), success({}), success({7})});
  CHECK(done.response == success({7}));
  CHECK(tpm.sent[1] == ord::kStartup);
  CHECK(tpm.sent.back() == ord::kGetRandom);
}

TEST_CASE("a blob that the TPM does not take any more costs the key", "[rm12][execution]") {
  Scripted tpm;
  tpm.evict(tpm.key(5));
  tpm.begin(sign());
  const exec::Done done = tpm.finish({tpm12::bare_response(rc::kBadContext)});
  CHECK(Scripted::code(done) == rc::kInvalidKeyHandle);
  CHECK(tpm.notes.lost_handles == std::vector<std::uint32_t>{kFirstKey});
  CHECK(tpm.state.table.all().empty());
}

TEST_CASE("a response that makes no sense is an error, and puts the tables in doubt",
          "[rm12][execution]") {
  Scripted tpm;
  tpm.begin(command(ord::kOiap, {}));
  CHECK(tpm.finish({success({0, 0})}).status == proto::Status::IoError);
  CHECK(tpm.state.check_due);
  tpm.begin(command(ord::kGetRandom, words({8})));
  CHECK(tpm.finish({success({7})}).response == success({7}));
  CHECK_FALSE(tpm.state.check_due);
}

TEST_CASE("what nobody waits for is flushed before the execution ends", "[rm12][execution]") {
  Scripted tpm;
  ClientExecution& execution = tpm.begin(command(ord::kOiap, {}));
  exec::Step step = execution.start();
  REQUIRE(std::holds_alternative<exec::Transmit>(step));
  execution.detach();
  step = execution.on_response(success(words({0x99})));
  REQUIRE(std::holds_alternative<exec::Transmit>(step));
  CHECK(std::get<exec::Transmit>(step).command == command(ord::kFlushSpecific, words({0x99, 2})));
  step = execution.on_response(success({}));
  CHECK(std::holds_alternative<exec::Done>(step));
  CHECK(tpm.state.strays.empty());
}

TEST_CASE("that something else cannot leave is no room to the client", "[rm12][execution]") {
  Scripted tpm;
  tpm.state.facts.auths.set(1);
  tpm.session(6, nullptr, kOther);
  tpm.begin(command(ord::kOiap, {}));
  const exec::Done done = tpm.finish({tpm12::bare_response(rc::kAuthFail)});
  CHECK(Scripted::code(done) == rc::kResources);
  CHECK(tpm.sent == Ordinals{ord::kSaveContext});
}

TEST_CASE("what may change a key makes its blob worthless", "[rm12][execution]") {
  Scripted tpm;
  Resource& key = tpm.key(5);
  key.saved.store(blob(Kind::Key, 5));
  tpm.begin(sign());
  tpm.finish({success({})});
  CHECK(key.saved.current());
  tpm.begin(command(ord::kKeyControlOwner, words({kFirstKey, 2, 0})));
  // Even when the TPM says that it has not.
  tpm.finish({tpm12::bare_response(rc::kAuthFail)});
  CHECK_FALSE(key.saved.current());
}
