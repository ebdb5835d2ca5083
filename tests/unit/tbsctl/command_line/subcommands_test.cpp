// The table of subcommands: every entry is whole, and its help says what it has.

#include "client/tbsctl/command_line/subcommands.h"

#include <regex>
#include <set>
#include <sstream>

#include "client/tbsctl/command_line/command_line.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

// All entries, those of "policy" after it, with their whole names.
struct Named {
  std::vector<std::string> words;
  Subcommand entry;
};

void collect(std::vector<Named>& all, const std::vector<std::string>& before,
             const std::vector<Subcommand>& entries) {
  for (const Subcommand& entry : entries) {
    auto words = before;
    words.push_back(entry.name);
    all.push_back({words, entry});
    collect(all, words, entry.parts);
  }
}

std::vector<Named> all_subcommands() {
  std::vector<Named> all;
  collect(all, {}, subcommands());
  return all;
}

std::string help_of(const std::vector<std::string>& words) {
  std::vector<const char*> arguments{"tbsctl"};
  for (const std::string& word : words) arguments.push_back(word.c_str());
  arguments.push_back("--help");
  std::ostringstream out;
  const auto line = parse_command_line(static_cast<int>(arguments.size()), arguments.data(), out);
  REQUIRE(line.has_value());
  CHECK_FALSE(line->has_value());
  return out.str();
}

// In whatever lines: later versions of CLI11 break them.
bool says(const std::string& help, const std::string& text) {
  const std::regex gap("\\s+");
  return std::regex_replace(help, gap, " ").find(std::regex_replace(text, gap, " ")) !=
         std::string::npos;
}

bool is_one_sentence(const std::string& text) {
  return !text.empty() && text.find('\n') == text.npos && text.back() != '.';
}

}  // namespace

TEST_CASE("every subcommand has what the table needs", "[tbsctl][subcommands]") {
  const auto all = all_subcommands();
  CHECK(all.size() >= 17);
  std::set<std::vector<std::string>> names;
  for (const auto& [words, entry] : all) {
    CAPTURE(words);
    CHECK(names.insert(words).second);
    CHECK(is_one_sentence(entry.summary));
    CHECK(entry.help.size() > 20);
    CHECK(entry.help != entry.summary);
    if (entry.parts.empty()) {
      CHECK(entry.run);
      REQUIRE(entry.needs);
      const Needs needs = entry.needs();
      CHECK((needs.connection == Needs::Connection::Context) == (needs.families != 0));
    } else {
      CHECK_FALSE(entry.run);
    }
  }
}

TEST_CASE("every option can be read and is explained", "[tbsctl][subcommands]") {
  for (const auto& [words, entry] : all_subcommands()) {
    std::set<std::string> names{"--json", "--socket", "--device", "--help"};
    for (const Option& option : entry.options) {
      CAPTURE(words, option.name);
      CHECK(names.insert(option.name).second);
      CHECK(is_one_sentence(option.about));
      CHECK(option.read);
      CHECK((option.with.empty() || names.contains(option.with)));
      if (option.argument()) CHECK(option.value.empty());
    }
  }
}

TEST_CASE("each subcommand has a help of its own", "[tbsctl][subcommands]") {
  for (const auto& [words, entry] : all_subcommands()) {
    const std::string help = help_of(words);
    CAPTURE(help);
    CHECK(says(help, entry.summary));
    CHECK(says(help, entry.help));
    CHECK(says(help, "--json, --color, --socket and --device"));
    // An example that names it.
    const std::size_t example = help.find("\nExample");
    REQUIRE(example != help.npos);
    CHECK(std::regex_search(help.substr(example),
                            std::regex("tbsctl (--[a-z]+ )*" + words.front() + "\\b")));
    for (const Option& option : entry.options) {
      // "-f,--file" or, as later versions of CLI11 have it, "-f,     --file".
      CHECK(help.find(option.name.substr(option.name.find(',') + 1)) != help.npos);
      CHECK(says(help, option.about.substr(0, 20)));
    }
    for (const Subcommand& part : entry.parts) CHECK(says(help, part.summary));
  }
}

TEST_CASE("the help of tbsctl lists all subcommands", "[tbsctl][subcommands]") {
  const std::string help = help_of({});
  for (const Subcommand& entry : subcommands()) {
    CHECK(help.find("  " + entry.name + " ") != help.npos);
    CHECK(says(help, entry.summary));
  }
  CHECK(help.find("Exit codes:") != help.npos);
}

TEST_CASE("what the table says of needs", "[tbsctl][subcommands]") {
  const auto connection_of = [](std::vector<const char*> arguments) {
    std::ostringstream out;
    arguments.insert(arguments.begin(), "tbsctl");
    const auto line = parse_command_line(static_cast<int>(arguments.size()), arguments.data(), out);
    return (*line)->subcommand.needs().connection;
  };
  CHECK(connection_of({"status"}) == Needs::Connection::Observer);
  CHECK(connection_of({"events"}) == Needs::Connection::Observer);
  CHECK(connection_of({"events", "--journal"}) == Needs::Connection::None);
  CHECK(connection_of({"bridge", "2321"}) == Needs::Connection::None);
  CHECK(connection_of({"pcr"}) == Needs::Connection::Context);
  // A log is compared with the PCRs of the TPM, unless it is not to be or is somebody else's.
  CHECK(connection_of({"log"}) == Needs::Connection::Context);
  CHECK(connection_of({"log", "--raw"}) == Needs::Connection::Observer);
  CHECK(connection_of({"log", "--no-compare"}) == Needs::Connection::Observer);
  CHECK(connection_of({"log", "--file", "x"}) == Needs::Connection::None);
  CHECK(connection_of({"lockout"}) == Needs::Connection::Context);
  CHECK(connection_of({"lockout", "--reset"}) == Needs::Connection::Observer);
  // TPM 1.2 has no TPM2_GetRandom.
  for (const Subcommand& entry : subcommands()) {
    if (entry.name == "random") CHECK(entry.needs().families == tbs::proto::kWantTpm20);
  }
}
