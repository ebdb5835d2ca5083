#pragma once

// The page: every metric in one table, with what it says and where its numbers are taken from.
// docs/metrics.md has the same table, and a test compares them.

#include <span>
#include <string>
#include <string_view>

#include "daemon/metrics/exposition.h"
#include "daemon/metrics/reading.h"

namespace tbs::metrics {

struct Family {
  Heading heading;
  std::string_view labels;  // their names, with commas between
  // One of the two: of the process, or of each TPM.
  void (*of_process)(Exposition&, const Reading&);
  void (*of_tpm)(Exposition&, const TpmReading&);
};

std::span<const Family> families();

std::string page(const Reading& reading, Format format);

}  // namespace tbs::metrics
