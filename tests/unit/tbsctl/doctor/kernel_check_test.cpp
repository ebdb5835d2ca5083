#include "client/tbsctl/doctor/kernel_check.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/support/temp_folder.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;

namespace {

Findings kernel_checked(const KernelFacts& facts) {
  Findings findings = check_kernel(facts);
  CHECK(are_whole(findings));
  return findings;
}

KernelFacts tpm20(const std::string& release) {
  return {.release = release, .has_tpm = true, .family = 2};
}

}  // namespace

TEST_CASE("doctor: versions of kernels", "[tbsctl][doctor]") {
  CHECK(kernel_version("6.1.0-18-amd64") == KernelVersion{6, 1});
  CHECK(kernel_version("6.18") == KernelVersion{6, 18});
  CHECK(kernel_version("7.2-rc1") == KernelVersion{7, 2});
  for (const char* const text : {"", "6", "6.", "x.1", ".1", "6.x"}) {
    CHECK_FALSE(kernel_version(text));
  }
  CHECK(KernelVersion{6, 9} < KernelVersion{6, 10});
  CHECK(KernelVersion{6, 18} < KernelVersion{7, 0});
}

TEST_CASE("doctor: notes on kernels", "[tbsctl][doctor]") {
  CHECK(says(kernel_checked({.release = "6.1"}), Severity::Fine, "no TPM of its own"));
  CHECK(says(kernel_checked(tpm20("6.1.0")), Severity::Fine, "Linux 6.1.0 with a TPM 2.0"));
  CHECK(says(kernel_checked(tpm20("6.1.0")), Severity::Note, "no way to cancel"));
  CHECK_FALSE(says(kernel_checked(tpm20("6.17.9")), Severity::Note, "after 30 s"));
  CHECK(says(kernel_checked(tpm20("6.18.0")), Severity::Note, "after 30 s"));
  KernelFacts facts = tpm20("6.12");
  facts.hmac_sessions = true;
  facts.presence = true;
  CHECK(says(kernel_checked(facts), Severity::Note, "HMAC sessions"));
  CHECK_FALSE(says(kernel_checked(facts), Severity::Note, "remember"));
  facts.release = "7.2";
  CHECK(says(kernel_checked(facts), Severity::Note, "remember"));
  // A release that is no number has no age.
  facts.release = "unknown";
  CHECK(kernel_checked(facts).size() == 2);
}

TEST_CASE("doctor: the cancel attribute of old kernels", "[tbsctl][doctor]") {
  KernelFacts facts{.release = "4.19", .has_tpm = true, .family = 1, .cancel_mode = 0200};
  CHECK(says(kernel_checked(facts), Severity::Warning, "`cancel` of the TPM is root's alone"));
  CHECK_FALSE(says(kernel_checked(facts), Severity::Note, "no way to cancel"));
  facts.cancel_mode = 0220;
  CHECK(kernel_checked(facts).size() == 1);
  facts.release = "5.10";
  CHECK(says(kernel_checked(facts), Severity::Note, "no way to cancel"));
}

TEST_CASE("doctor: the chip's files are found", "[tbsctl][doctor]") {
  const TempFolder root;
  CHECK_FALSE(kernel_facts(root.path()).has_tpm);
  CHECK_FALSE(kernel_facts(root.path()).release.empty());
  const std::string chip = root / "sys/class/tpm/tpm0";
  std::filesystem::create_directories(chip + "/ppi");
  write_file(chip + "/tpm_version_major", "2\n");
  write_file(chip + "/null_name", "x");
  write_file(chip + "/ppi/version", "1.3\n");
  const KernelFacts facts = kernel_facts(root.path());
  CHECK(facts.has_tpm);
  CHECK(facts.family == 2);
  CHECK(facts.hmac_sessions);
  CHECK(facts.presence);
  CHECK_FALSE(facts.cancel_mode);
}

TEST_CASE("docs/kernel.md has every note of doctor", "[tbsctl][doctor][docs]") {
  std::ifstream file(TBS_DOCS_DIR "/kernel.md");
  REQUIRE(file.is_open());
  std::stringstream page;
  page << file.rdbuf();
  for (const KernelNote& note : kKernelNotes) {
    CAPTURE(note.id);
    CHECK(page.str().contains("| " + std::string(note.id) + " |"));
  }
}
