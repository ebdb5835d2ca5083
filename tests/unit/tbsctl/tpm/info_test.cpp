#include <nlohmann/json.hpp>

#include "client/tbsctl/tpm/commands.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;
namespace tpm = tbs::tpm;

TEST_CASE("a firmware's version", "[tbsctl][info]") {
  CHECK(firmware_text(0x00070055, 0x11CB0000) == "7.85.4555.0");
}

TEST_CASE_METHOD(RecordedDaemon, "what a TPM says of itself", "[tbsctl][info]") {
  const auto response =
      tpm::properties_response({.more = false,
                                .items = {{TPM2_PT_VENDOR_STRING_1, 0x534C4239},
                                          {TPM2_PT_VENDOR_STRING_1 + 1, 0x36373020},
                                          {TPM2_PT_VENDOR_STRING_1 + 2, 0},
                                          {TPM2_PT_FIRMWARE_VERSION_1, 0x00070055},
                                          {TPM2_PT_FIRMWARE_VERSION_1 + 1, 2}}});
  answer(proto::Result{.response = response});
  answer(proto::DeviceInfoReply{.tpm_version = 1});
  const TpmDetails details = ask_details(daemon);
  CHECK(details.vendor == "SLB9670");
  CHECK(details.firmware == "7.85.0.2");
  REQUIRE(details.banks.size() == 1);
}

TEST_CASE_METHOD(RecordedDaemon, "a TPM that says nothing of itself", "[tbsctl][info]") {
  const proto::Buffer response = {0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1};
  answer(proto::Result{.response = response});
  const TpmDetails details = ask_details(daemon);
  CHECK(details.vendor.empty());
  CHECK(details.firmware.empty());
  CHECK(details.banks.empty());
}

TEST_CASE_METHOD(RecordedDaemon, "info with what the TPM says, and without", "[tbsctl][info]") {
  const proto::DeviceInfoReply info{.tpm_version = 2, .device = "embedded"};
  const auto asked = [] {
    return TpmDetails{.vendor = "SW TPM",
                      .firmware = "1.2.3.4",
                      .banks = {{.algorithm = TPM2_ALG_SHA256, .pcrs = 0x00FFFFFF}}};
  };
  answer(info);
  REQUIRE(run_info(daemon, console(), asked).has_value());
  CHECK(out.str().contains("Vendor string:           SW TPM\n"));
  CHECK(out.str().contains("Firmware version:        1.2.3.4\n"));
  CHECK(out.str().contains("PCR banks:               sha256 (24 PCRs)\n"));
  out.str("");
  answer(info);
  REQUIRE(run_info(daemon, console(true), asked).has_value());
  auto json = nlohmann::json::parse(out.str());
  CHECK(json["firmware"] == "1.2.3.4");
  CHECK(json["vendor_string"] == "SW TPM");
  CHECK(json["pcr_banks"]["sha256"].size() == 24);
  out.str("");
  answer(info);
  REQUIRE(run_info(daemon, console(), [] { return std::nullopt; }).has_value());
  CHECK(out.str().contains("Firmware version:        unknown\n"));
  out.str("");
  answer(info);
  REQUIRE(run_info(daemon, console(true)).has_value());
  json = nlohmann::json::parse(out.str());
  CHECK(json["firmware"].is_null());
  CHECK(json["pcr_banks"].is_null());
}
