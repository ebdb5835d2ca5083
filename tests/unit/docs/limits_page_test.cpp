// Keeps docs/limits.md true: its table is compared with the limits in the code.

#include <fstream>
#include <sstream>

#include "daemon/policy/limits.h"
#include "tests/support/catch2.h"

using namespace tbs::policy;

TEST_CASE("the page of limits has every limit with its default and its scope", "[docs][policy]") {
  std::ifstream file(TBS_DOCS_DIR "/limits.md");
  REQUIRE(file.is_open());
  std::stringstream page;
  page << file.rdbuf();
  const Limits defaults;
  for (const LimitRule& rule : kLimitRules) {
    const std::string_view scope = rule.scope == Scope::Context ? "context"
                                   : rule.scope == Scope::User  ? "user"
                                                                : "all";
    const std::string row = "| `" + std::string(rule.name) + "` | " +
                            std::to_string(defaults.*rule.value) + " | " + std::string(scope) +
                            " |";
    INFO(row);
    CHECK(page.str().find(row) != std::string::npos);
    CHECK(defaults.*rule.value >= rule.lowest);
    CHECK(defaults.*rule.value <= rule.highest);
  }
}
