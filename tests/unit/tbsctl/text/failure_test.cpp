#include "client/tbsctl/text/failure.h"

#include "tests/support/catch2.h"

using namespace tbs::ctl;
namespace proto = tbs::proto;

TEST_CASE("a refusal is told with its code", "[tbsctl][failure]") {
  const Failure failure = tbs_failure("cannot do it", proto::Status::CommandCanceled);
  CHECK(failure.exit == Exit::Tbs);
  CHECK(failure.message.starts_with("cannot do it: "));
  CHECK(failure.message.find("(TBS_E_COMMAND_CANCELED, 0x8028400D)") != std::string::npos);
  CHECK(failure.advice == Advice::None);
}

TEST_CASE("what helps", "[tbsctl][failure]") {
  CHECK(tbs_failure("", proto::Status::TpmNotFound).advice == Advice::Tpm);
  CHECK(tbs_failure("", proto::Status::ServiceStartPending).advice == Advice::Wait);
  CHECK(tbs_failure("", proto::Status::IoError).advice == Advice::Health);
  CHECK(tbs_failure("", proto::Status::TooManyContexts).advice == Advice::Contexts);
  CHECK(advice_text(Advice::None, "log").empty());
  CHECK(advice_text(Advice::Tpm, "log") == "; `tbsctl info` shows the TPM there is");
  CHECK(advice_text(Advice::Health, "log") == "; see `tbsctl status` and `journalctl -t tbsd`");
}

TEST_CASE("nobody is sent to where they come from", "[tbsctl][failure]") {
  for (const Advice advice : {Advice::Wait, Advice::Health, Advice::Contexts, Advice::Tpm}) {
    for (const char* const from : {"status", "info", "contexts"}) {
      const std::string text = advice_text(advice, from);
      CHECK_FALSE(text.empty());
      CHECK(text.find("tbsctl " + std::string(from) + "`") == std::string::npos);
    }
  }
}
