#include "client/tbsctl/command_line/command_line.h"
#include "client/tbsctl/command_line/subcommands.h"
#include "client/tbsctl/completion/scripts.h"

namespace tbs::ctl {
namespace {

void add_places(const std::string& words, const Subcommand& at, std::vector<Place>& list) {
  list.emplace_back(words, &at);
  for (const Subcommand& part : at.parts) {
    add_places(words.empty() ? part.name : words + " " + part.name, part, list);
  }
}

}  // namespace

Subcommand command_tree() {
  CommandLine line;
  Subcommand tree{.name = "tbsctl", .options = global_options(line), .parts = subcommands()};
  for (Option& option : tree.options) option.read = nullptr;  // `line` ends here
  tree.options.push_back({.name = "-h,--help", .about = "Print the help"});
  return tree;
}

std::vector<Place> places(const Subcommand& tree) {
  std::vector<Place> list;
  add_places({}, tree, list);
  return list;
}

bool takes(const Subcommand& subcommand, const Option& of_all) {
  return of_all.name != "--json" || subcommand.json != JsonOutput::None;
}

std::vector<std::string> spellings(const Option& option) {
  const std::size_t comma = option.name.find(',');
  if (comma == std::string::npos) return {option.name};
  return {option.name.substr(0, comma), option.name.substr(comma + 1)};
}

std::string script_header(std::string_view shell) {
  return "# Completion of tbsctl(1) for " + std::string(shell) +
         ".\n# Made from the table of subcommands by `ninja completions`; do not edit it.\n\n";
}

std::string quoted(std::string_view text, std::string_view quote) {
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      result += quote;
    } else {
      result += letter;
    }
  }
  return result + "'";
}

}  // namespace tbs::ctl
