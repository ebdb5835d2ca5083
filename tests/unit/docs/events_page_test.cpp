// Keeps docs/events.md true: its events and message ids are those of the code.

#include <fstream>
#include <set>
#include <sstream>

#include "proto/event_names.h"
#include "tests/support/catch2.h"

using namespace tbs::proto;

TEST_CASE("the page of events has every event with its message id", "[docs]") {
  std::ifstream file(TBS_DOCS_DIR "/events.md");
  REQUIRE(file.is_open());
  std::stringstream page;
  page << file.rdbuf();
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < kEventNames.size(); ++i) {
    const EventName& event = kEventNames[i];
    CHECK(static_cast<std::size_t>(event.event) == i);
    CHECK(event.message_id.size() == 32);
    ids.insert(event.message_id);
    const std::string row =
        "| `" + std::string(event.name) + "` | " + std::string(event.message_id) + " |";
    INFO(row);
    CHECK(page.str().find(row) != std::string::npos);
  }
  CHECK(ids.size() == kEventNames.size());
}
