// An event log of the firmware's, or what somebody says is one: taken apart, put into words and
// replayed. Nothing points outside of it, every text fits on one line of a terminal, and a log
// agrees with itself.

#include "client/tbsctl/log/event_log.h"

#include <vector>

#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/pcr/read_pcrs.h"
#include "tests/fuzz/printed_description.h"

using namespace tbs;
using namespace tbs::test;

namespace {

bool inside(proto::Bytes part, proto::Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const proto::Bytes bytes(data, size);
  const ctl::EventLog log = ctl::parse_event_log(bytes);
  for (const ctl::Event& event : log.events) {
    require(inside(event.data, bytes));
    for (const ctl::EventDigest& digest : event.digests) require(inside(digest.value, bytes));
    check_line(ctl::event_name(event.type));
    check_description(ctl::describe_event(event));
    (void)ctl::digests_fit(event);
  }
  const auto replayed = ctl::replay(log);
  std::vector<ctl::PcrValue> measured;
  for (const ctl::ReplayedPcr& pcr : replayed) {
    require(!pcr.steps.empty() && pcr.steps.back().event < log.events.size());
    measured.push_back({pcr.algorithm, pcr.pcr, pcr.value()});
  }
  for (const ctl::Comparison& comparison : ctl::compare(replayed, measured)) {
    require(comparison.agreement == ctl::Agreement::Equal);
  }
  (void)ctl::parse_selection({reinterpret_cast<const char*>(data), size});
  return 0;
}
