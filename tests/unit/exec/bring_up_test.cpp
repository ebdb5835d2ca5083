#include "daemon/exec/bring_up.h"

#include <functional>
#include <vector>

#include "daemon/tpm12/capability.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::exec;
using proto::Buffer;
using proto::Status;

namespace {

Buffer code20(std::uint32_t code) {
  return proto::tpm_error_response(tpm::kTagNoSessions, code);
}
Buffer code12(std::uint32_t code) {
  return proto::tpm_error_response(tpm12::kTagResponse, code);
}
Buffer manufacturer20() {
  return tpm::properties_response(
      {.more = false, .items = {{.name = tpm::pt::kManufacturer, .value = 0x49424D20}}});
}
// TPM_PERMANENT_FLAGS or TPM_STCLEAR_FLAGS with its first flag.
Buffer flags12(std::uint16_t tag, bool first) {
  Buffer response = code12(0);
  proto::ByteWriter writer(response);
  writer.be32(4);
  writer.be16(tag);
  writer.u8(first ? 1 : 0);
  writer.u8(1);
  response[5] = static_cast<std::uint8_t>(response.size());
  return response;
}

// Runs it against a TPM that answers each command code.
struct Bench {
  using Tpm = std::function<Buffer(std::uint32_t)>;

  Status run(const Tpm& tpm, BringUp::Next next = {}) {
    BringUp bring_up(identity, std::move(next));
    Step step = bring_up.start();
    for (int i = 0; i < 1000; ++i) {
      if (const auto* const done = std::get_if<Done>(&step)) return done->status;
      if (const auto* const sent = std::get_if<Transmit>(&step)) {
        step = bring_up.on_response(tpm(proto::read_tpm_header(sent->command)->code));
      } else {
        step = bring_up.on_pause_over();
      }
    }
    FAIL("it does not end");
    return Status::InternalError;
  }

  TpmIdentity identity;
};

// Asks one thing, and is content with success.
class Question final : public Execution {
 public:
  Step start() override {
    return Transmit{.command = proto::tpm_error_response(tpm::kTagNoSessions, tpm::cc::kReadClock)};
  }
  Step on_response(std::span<const std::uint8_t> response) override {
    const bool good = proto::read_tpm_header(response)->code == 0;
    return Done{.status = good ? Status::Success : Status::IoError};
  }
  Step on_pause_over() override { return Done{}; }
  void withdraw() override {}
  void detach() override {}
};
std::unique_ptr<Execution> question() {
  return std::make_unique<Question>();
}

}  // namespace

TEST_CASE_METHOD(Bench, "a TPM that works has no problem", "[exec][bring-up]") {
  identity.health.problem = "of an earlier day";
  CHECK(run(
            [](std::uint32_t code) {
              return code == tpm::cc::kGetCapability ? manufacturer20() : code20(0);
            },
            question) == Status::Success);
  CHECK(identity.health.problem.empty());
  CHECK_FALSE(identity.health.failed);
}

TEST_CASE_METHOD(Bench, "a TPM in failure mode can still be asked what it answers",
                 "[exec][bring-up]") {
  const bool tells_maker = GENERATE(true, false);
  CHECK(run(
            [tells_maker](std::uint32_t code) {
              const bool maker = code == tpm::cc::kGetCapability && tells_maker;
              return maker ? manufacturer20() : code20(tpm::rc::kFailure);
            },
            question) == Status::Success);
  CHECK(identity.family == Family::Tpm20);
  CHECK(identity.manufacturer == (tells_maker ? "IBM" : ""));
  CHECK(identity.health.failed);
  CHECK(identity.health.problem.contains("failure mode"));
}

TEST_CASE_METHOD(Bench, "a TPM whose firmware is being updated can be sent the rest of it",
                 "[exec][bring-up]") {
  const bool only_capabilities = GENERATE(true, false);
  CHECK(run(
            [only_capabilities](std::uint32_t code) {
              const bool maker = code == tpm::cc::kGetCapability && only_capabilities;
              return maker ? manufacturer20() : code20(tpm::rc::kUpgrade);
            },
            question) == Status::Success);
  CHECK(identity.family == Family::Tpm20);
  CHECK(identity.health.problem.contains("field upgrade mode"));
  // Not a case for a power cycle.
  CHECK_FALSE(identity.health.failed);
  CHECK(casts_doubt(code20(tpm::rc::kUpgrade)));
  CHECK_FALSE(casts_doubt(code12(tpm::rc::kUpgrade)));
}

TEST_CASE_METHOD(Bench, "failure mode that shows later is found all the same", "[exec][bring-up]") {
  CHECK(run(
            [](std::uint32_t code) {
              if (code == tpm::cc::kReadClock) return code20(tpm::rc::kFailure);
              return code == tpm::cc::kGetCapability ? manufacturer20() : code20(0);
            },
            question) == Status::Success);
  CHECK(identity.health.failed);
}

TEST_CASE_METHOD(Bench, "a TPM that cannot be used: the reason names the command and the code",
                 "[exec][bring-up]") {
  SECTION("it refuses to start") {
    CHECK(run([](std::uint32_t) { return code20(tpm::rc::kMemory); }) == Status::IoError);
    CHECK(identity.health.problem == "the TPM answered TPM2_Startup with 0x904");
  }
  SECTION("it never gets ready") {
    CHECK(run([](std::uint32_t) { return code20(tpm::rc::kRetry); }) == Status::IoError);
    CHECK(identity.health.problem == "the TPM answered TPM2_Startup with 0x922");
  }
  SECTION("the engine cannot use it") {
    CHECK(run(
              [](std::uint32_t code) {
                if (code == tpm::cc::kReadClock) return code20(tpm::rc::kMemory);
                return code == tpm::cc::kGetCapability ? manufacturer20() : code20(0);
              },
              question) == Status::IoError);
    CHECK(identity.health.problem == "the TPM answered TPM2_ReadClock with 0x904");
  }
  SECTION("it says nothing that makes sense") {
    CHECK(run([](std::uint32_t) { return code20(0); }) == Status::IoError);
    CHECK(identity.health.problem == "the TPM's answer to TPM2_GetCapability makes no sense");
  }
  CHECK_FALSE(identity.health.failed);
}

TEST_CASE_METHOD(Bench, "what is wrong with a TPM 1.2", "[exec][bring-up]") {
  bool disabled = false;
  bool deactivated = false;
  std::uint32_t start = tpm12::rc::kInvalidPostInit;
  int asked = 0;
  const auto tpm = [&](std::uint32_t code) {
    if (code == tpm::cc::kStartup) return code12(tpm12::rc::kBadTag);
    if (code == tpm12::ord::kStartup) return code12(start);
    switch (asked++) {
      case 0:
        return tpm12::capability_word(0x49424D00);
      case 1:
        return flags12(tpm12::kTagPermanentFlags, disabled);
      default:
        return flags12(tpm12::kTagVolatileFlags, deactivated);
    }
  };
  SECTION("nothing") {
    CHECK(run(tpm) == Status::Success);
    CHECK(identity.health.problem.empty());
  }
  SECTION("it is disabled") {
    disabled = deactivated = true;
    CHECK(run(tpm) == Status::Success);
    CHECK(identity.health.problem.contains("TPM_DISABLED"));
  }
  SECTION("it is deactivated") {
    deactivated = true;
    CHECK(run(tpm) == Status::Success);
    CHECK(identity.health.problem.contains("TPM_DEACTIVATED"));
  }
  SECTION("its self-test has failed") {
    start = tpm12::rc::kFailedSelfTest;
    CHECK(run(tpm) == Status::Success);
    CHECK(identity.health.failed);
    CHECK(identity.health.problem.contains("TPM_FAILEDSELFTEST"));
  }
  CHECK(identity.family == Family::Tpm12);
}

TEST_CASE("which responses cast doubt on the TPM", "[exec][bring-up]") {
  CHECK(casts_doubt(code20(tpm::rc::kFailure)));
  CHECK(casts_doubt(code12(tpm12::rc::kFailedSelfTest)));
  CHECK(casts_doubt(code12(tpm12::rc::kDisabled)));
  CHECK(casts_doubt(code12(tpm12::rc::kDeactivated)));
  CHECK_FALSE(casts_doubt(code20(0)));
  CHECK_FALSE(casts_doubt(code20(tpm::rc::kInitialize)));
  CHECK_FALSE(casts_doubt(code20(tpm12::rc::kFailedSelfTest)));
  CHECK_FALSE(casts_doubt(code12(tpm12::rc::kAuthFail)));
  CHECK_FALSE(casts_doubt({}));
}
