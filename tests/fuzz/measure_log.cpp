// What systemd measured after boot, or what somebody says is that: put into words and replayed.

#include "client/tbsctl/log/userspace/measure_log.h"

#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "tests/fuzz/printed_description.h"

using namespace tbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ctl::LaterLog log = ctl::read_measure_log({data, size});
  for (const ctl::LaterRecord& record : log.records) {
    test::check_line(record.name);
    test::check_line(record.nv_index);
    test::check_description(record.description);
    test::require(record.pcr.has_value() || !record.nv_index.empty());
    for (const ctl::LaterDigest& digest : record.digests) {
      test::require(ctl::bank_digest_size(digest.algorithm) == digest.value.size());
    }
  }
  (void)ctl::replay({}, log.records);
  return 0;
}
