// Keeps docs/clients.md complete: every test that runs a program of others has its row.

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/catch2.h"

TEST_CASE("the page of programs has every flow of a client", "[docs]") {
  std::ifstream file(TBS_DOCS_DIR "/clients.md");
  REQUIRE(file.is_open());
  std::stringstream page;
  page << file.rdbuf();
  // What flows share.
  const std::set<std::string> shared = {"account", "bridge", "flow", "keystore", "tls_clients"};
  std::size_t flows = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(TBS_DOCS_DIR "/../tests/integration/clients")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".sh" || shared.contains(name)) continue;
    ++flows;
    INFO(name);
    CHECK(page.str().find("`" + name + "`") != std::string::npos);
  }
  CHECK(flows > 0);
}
