// Keeps tbsctl(1) and the pages of its subcommands true: they list the subcommands and options that
// the table has, and no others.

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "client/tbsctl/command_line/subcommands.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

using Names = std::set<std::string>;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string section_of(const std::string& page, const std::string& title) {
  const std::size_t start = page.find("\n# " + title + "\n");
  REQUIRE(start != page.npos);
  return page.substr(start, page.find("\n# ", start + 1) - start);
}

// What a pattern's first group finds.
Names found(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern, std::regex::multiline);
  Names names;
  for (std::sregex_iterator each(text.begin(), text.end(), expression), end; each != end; ++each) {
    names.insert((*each)[1]);
  }
  return names;
}

// "-f" and "--file" of "-f,--file".
Names option_names(const Subcommand& entry) {
  Names names;
  for (const Option& option : entry.options) {
    if (!option.argument()) names.merge(found(option.name, "(--?[a-z-]+)"));
  }
  return names;
}

// The entry of the page about a subcommand: from its heading to the next one.
std::string entry_of(const std::string& section, const std::string& heading) {
  const std::size_t start = section.find("\n" + heading);
  CAPTURE(heading);
  REQUIRE(start != section.npos);
  return section.substr(start, section.find("\n*", start + 1) - start);
}

}  // namespace

TEST_CASE("the manual page has all subcommands and no others", "[docs][tbsctl]") {
  const auto section = section_of(content_of(TBS_DOCS_DIR "/man/tbsctl.1.scd"), "SUBCOMMANDS");
  Names in_table;
  for (const Subcommand& entry : subcommands()) in_table.insert(entry.name);
  CHECK(found(section, "^\\*([a-z]+)\\*") == in_table);
}

TEST_CASE("subcommands have the manual pages that their help names", "[docs][tbsctl]") {
  const auto section = section_of(content_of(TBS_DOCS_DIR "/man/tbsctl.1.scd"), "SUBCOMMANDS");
  Names in_table;
  for (const Subcommand& entry : subcommands()) {
    if (entry.page) in_table.insert("tbsctl-" + entry.name);
  }
  Names there;
  for (const auto& file : std::filesystem::directory_iterator(TBS_DOCS_DIR "/man")) {
    there.merge(found(file.path().filename(), "^(tbsctl-.*)\\.1\\.scd$"));
  }
  CHECK(there == in_table);
  CHECK(found(section, "\\*(tbsctl-[a-z]+)\\*\\(1\\)") == in_table);
}

TEST_CASE("the manual page has every option where it belongs", "[docs][tbsctl]") {
  const auto section = section_of(content_of(TBS_DOCS_DIR "/man/tbsctl.1.scd"), "SUBCOMMANDS");
  for (const Subcommand& entry : subcommands()) {
    CAPTURE(entry.name);
    Names options = option_names(entry);
    std::string text;
    if (entry.page) {
      text = content_of(TBS_DOCS_DIR "/man/tbsctl-" + entry.name + ".1.scd");
    } else if (entry.parts.empty()) {
      text = entry_of(section, "*" + entry.name + "*");
    }
    for (const Subcommand& part : entry.parts) {
      options.merge(option_names(part));
      if (!entry.page) text += entry_of(section, "*" + entry.name + "* *" + part.name + "*");
    }
    for (const std::string& option : options) {
      CAPTURE(option);
      CHECK(text.find("*" + option + "*") != text.npos);
    }
    for (const std::string& option : found(text, "^\\t?(?:\\*-[a-z]\\*, )?\\*(--[a-z-]+)\\*")) {
      CAPTURE(option);
      CHECK(options.contains(option));
    }
  }
}
