// Keeps docs/metrics.md true: its tables are those of the code.

#include <fstream>
#include <sstream>

#include "daemon/metrics/page.h"
#include "tests/support/catch2.h"

using namespace tbs;

namespace {

std::string documented() {
  std::ifstream file(TBS_DOCS_DIR "/metrics.md");
  REQUIRE(file.is_open());
  std::stringstream page;
  page << file.rdbuf();
  return page.str();
}

}  // namespace

TEST_CASE("the page of metrics has every metric, and no other", "[docs][metrics]") {
  const std::string page = documented();
  std::size_t rows = 0;
  for (std::size_t at = page.find("\n| `tbs_"); at != std::string::npos;
       at = page.find("\n| `tbs_", at + 1)) {
    ++rows;
  }
  std::size_t ours = 0;
  for (const metrics::Family& family : metrics::families()) {
    const std::string labels = family.labels.empty() ? "-" : std::string(family.labels);
    const std::string row = "| `" + std::string(family.heading.name) + "` | " +
                            std::string(name_of(family.heading.type)) + " | " + labels + " | " +
                            std::string(family.heading.help) + " |";
    INFO(row);
    CHECK(page.find("\n" + row + "\n") != std::string::npos);
    if (family.heading.name.starts_with("tbs_")) ++ours;
  }
  CHECK(rows == ours);
}

TEST_CASE("the page of metrics explains the values of labels", "[docs][metrics]") {
  const std::string page = documented();
  const auto check = [&page](const auto& names) {
    for (const std::string_view name : names) {
      INFO(name);
      CHECK(page.find("\n| `" + std::string(name) + "` | ") != std::string::npos);
    }
  };
  check(kCommandKindNames);
  check(sched::kCancelOutcomeNames);
  check(server::kRefusalNames);
}
