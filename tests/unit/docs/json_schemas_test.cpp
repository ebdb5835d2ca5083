// Keeps docs/json true to the table of subcommands: a schema for each that prints JSON, and no
// other.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/subcommands.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

using Titles = std::set<std::string>;

// "status", "policy check".
void add_titles(const std::vector<Subcommand>& table, const std::string& before, Titles& titles) {
  for (const Subcommand& entry : table) {
    add_titles(entry.parts, before + entry.name + " ", titles);
    const bool prints = entry.parts.empty() && entry.json != JsonOutput::None;
    if (prints) titles.insert(before + entry.name);
  }
}

std::string file_name(std::string title) {
  std::ranges::replace(title, ' ', '-');
  return title + ".schema.json";
}

nlohmann::json schema_of(const std::string& title) {
  std::ifstream file(std::string(TBS_DOCS_DIR "/json/") + file_name(title));
  INFO(title);
  REQUIRE(file.is_open());
  return nlohmann::json::parse(file);
}

Titles titles_with_json() {
  Titles titles;
  add_titles(subcommands(), "", titles);
  return titles;
}

}  // namespace

TEST_CASE("every subcommand with --json has a schema, and no other", "[docs][tbsctl]") {
  Titles wanted;
  for (const std::string& title : titles_with_json()) {
    CHECK(schema_of(title)["title"] == "tbsctl --json " + title);
    wanted.insert(file_name(title));
  }
  Titles found;
  for (const auto& file : std::filesystem::directory_iterator(TBS_DOCS_DIR "/json")) {
    found.insert(file.path().filename());
  }
  CHECK(found == wanted);
}

TEST_CASE("the page of JSON has every schema", "[docs][tbsctl]") {
  std::ifstream file(TBS_DOCS_DIR "/json.md");
  REQUIRE(file.is_open());
  const std::string page(std::istreambuf_iterator<char>(file), {});
  for (const std::string& title : titles_with_json()) {
    const std::string row = "| `" + title + "` | [" + file_name(title) + "](json/";
    INFO(row);
    CHECK(page.find(row) != page.npos);
  }
}
