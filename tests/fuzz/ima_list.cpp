// IMA's list of measured files, as bytes and as text: put into words and replayed.

#include "client/tbsctl/log/ima/measurement_list.h"
#include "client/tbsctl/log/log_sources.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "tests/fuzz/printed_description.h"

using namespace tbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const proto::Bytes bytes(data, size);
  const ctl::LaterLog log = ctl::read_ima_list(bytes, {TPM2_ALG_SHA1, TPM2_ALG_SHA256, 0x99});
  for (const ctl::LaterRecord& record : log.records) {
    test::check_line(record.name);
    test::check_description(record.description);
    test::require(record.pcr && *record.pcr < ctl::kPcrCount);
    for (const ctl::LaterDigest& digest : record.digests) {
      test::require(ctl::bank_digest_size(digest.algorithm) == digest.value.size());
    }
  }
  for (const ctl::ReplayedPcr& pcr : ctl::replay({}, log.records)) {
    test::require(!pcr.steps.empty() && pcr.steps.back().event < log.records.size());
  }
  (void)ctl::kind_of_log(bytes);
  return 0;
}
