#include "client/tbsctl/doctor/tcti_check.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;

namespace {

constexpr const char* kTbs = "libtss2-tcti-tbs.so.0.0.0";

TctiConsumer tools(std::optional<std::string> value = {}) {
  return {.name = "tpm2-tools", .variable = "TPM2TOOLS_TCTI", .value = std::move(value)};
}

TctiFacts with(TctiConsumer consumer, std::vector<TctiModule> more = {}) {
  TctiFacts facts{.consumers = {std::move(consumer)},
                  .modules = {{"libtss2-tcti-tbs.so.0", kTbs},
                              {"libtss2-tcti-device.so.0", "libtss2-tcti-device.so.0.0.0"},
                              {"libtss2-tcti-swtpm.so.0", "libtss2-tcti-swtpm.so.0.0.0"}},
                  .fapi_problem = {},
                  .fapi_path = {}};
  facts.modules.insert(facts.modules.end(), more.begin(), more.end());
  return facts;
}

Findings tcti_checked(const TctiFacts& facts) {
  Findings findings = check_tcti(facts);
  CHECK(are_whole(findings));
  return findings;
}

}  // namespace

TEST_CASE("doctor: what the loader tries for a name", "[tbsctl][doctor]") {
  CHECK(tcti_name("tbs:/run/x.sock") == "tbs");
  CHECK(tcti_name("tbs") == "tbs");
  CHECK(tcti_files("tbs") ==
        std::vector<std::string>{"tbs", "libtss2-tcti-tbs.so.0", "libtss2-tcti-tbs.so"});
}

TEST_CASE("doctor: a TCTI that is named", "[tbsctl][doctor]") {
  CHECK(says(tcti_checked(with(tools("tbs:priority=high"))), Severity::Fine,
             "tpm2-tools uses tbs:priority=high (TPM2TOOLS_TCTI)"));
  CHECK(says(tcti_checked(with(tools("device:/dev/tpmrm0"))), Severity::Warning,
             "tpm2-tools uses /dev/tpmrm0 (TPM2TOOLS_TCTI)"));
  CHECK(says(tcti_checked(with(tools("device:/dev/tpm0"))), Severity::Error, "uses /dev/tpm0"));
  CHECK(says(tcti_checked(with(tools("device"))), Severity::Error, "uses /dev/tpm0"));
  CHECK(says(tcti_checked(with(tools("swtpm:path=x"))), Severity::Note, "uses swtpm:path=x"));
  CHECK(says(tcti_checked(with(tools("tsb"))), Severity::Error,
             "is to use \"tsb\" (TPM2TOOLS_TCTI), and no such module is installed"));
  // systemd takes a path as well.
  CHECK(says(tcti_checked(with({"systemd", "SYSTEMD_TPM2_DEVICE", "/dev/tpmrm0"})),
             Severity::Warning, "systemd uses /dev/tpmrm0"));
}

TEST_CASE("doctor: the module of tbs is missing", "[tbsctl][doctor]") {
  TctiFacts facts = with(tools("tbs"));
  facts.modules.erase(facts.modules.begin());
  const Findings findings = tcti_checked(facts);
  CHECK(says(findings, Severity::Warning, "libtss2-tcti-tbs.so.0 is not installed"));
  CHECK(says(findings, Severity::Error, "no such module"));
}

TEST_CASE("doctor: what the loader finds where nothing is named", "[tbsctl][doctor]") {
  TctiFacts facts = with(tools(), {{"libtss2-tcti-default.so", kTbs}});
  CHECK(says(tcti_checked(facts), Severity::Fine,
             "by default (tpm2-tools) programs use tbs, the default"));
  facts = with(tools(), {{"libtss2-tcti-default.so", "libtss2-tcti-mssim.so.0.0.0"}});
  CHECK(says(tcti_checked(facts), Severity::Warning, "programs use libtss2-tcti-mssim.so.0.0.0"));
  facts = with(tools(), {{"libtss2-tcti-tabrmd.so.0", "libtss2-tcti-tabrmd.so.0.0.0"}});
  CHECK(says(tcti_checked(facts), Severity::Warning, "programs ask tpm2-abrmd first"));
  facts = with(tools(), {{"libtss2-tcti-tabrmd.so.0", kTbs}});
  CHECK(says(tcti_checked(facts), Severity::Fine, "in place of tpm2-abrmd"));
  facts = with(tools());
  CHECK(says(tcti_checked(facts), Severity::Warning, "programs find no TPM"));
  facts.opens_tpm0 = true;
  CHECK(says(tcti_checked(facts), Severity::Error, "uses /dev/tpm0, which tpm2-tss' loader"));
  facts.opens_tpmrm0 = true;
  CHECK(says(tcti_checked(facts), Severity::Warning, "uses /dev/tpmrm0, which tpm2-tss' loader"));
  // All that are told nothing are one finding.
  facts.consumers.push_back({"tpm2-pkcs11", "TPM2_PKCS11_TCTI", {}});
  facts.consumers.push_back({"FAPI", "/etc/x.json", {}});
  REQUIRE(check_tcti(facts).size() == 1);
  CHECK(says(check_tcti(facts), Severity::Warning, "by default (tpm2-tools, tpm2-pkcs11, FAPI)"));
  CHECK(check_tcti(facts)[0].remedy.starts_with("export TPM2TOOLS_TCTI=tbs TPM2_PKCS11_TCTI=tbs,"));
  facts = with({"systemd", "SYSTEMD_TPM2_DEVICE", {}, TctiFallback::Kernel});
  CHECK(says(tcti_checked(facts), Severity::Note, "systemd uses /dev/tpmrm0"));
}

TEST_CASE("doctor: FAPI's configuration", "[tbsctl][doctor]") {
  CHECK(tcti_of_fapi(R"({"profile_name": "x", "tcti": "tbs"})").value() == "tbs");
  CHECK(tcti_of_fapi(R"({"tcti": ""})").value() == std::nullopt);
  CHECK(tcti_of_fapi("{}").value() == std::nullopt);
  CHECK(tcti_of_fapi(R"({"tcti": 7})").error().contains("no text"));
  for (const char* const text : {"", "{", "[]", "\"tcti\"", "\xff\xfe"}) {
    CHECK(tcti_of_fapi(text).error() == "it is no JSON object");
  }
  TctiFacts facts = with({"FAPI", "/etc/x.json", "device:/dev/tpmrm0"});
  CHECK(check_tcti(facts)[0].remedy == "write \"tcti\": \"tbs\" in /etc/x.json");
  facts.fapi_path = "/etc/x.json";
  facts.fapi_problem = "it is no JSON object";
  CHECK(says(tcti_checked(facts), Severity::Error, "/etc/x.json, cannot be used: it is no JSON"));
}
