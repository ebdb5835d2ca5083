#pragma once

// What shells complete after `tbsctl`, made from the table of subcommands. The scripts that are
// installed lie beside this file, so that a cross build needs no program of its own to make them; a
// test compares them with what these functions give, and `ninja completions` writes them anew.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

// tbsctl itself: its options, and as its parts the subcommands.
Subcommand command_tree();

std::string bash_script(const Subcommand& tree);
std::string zsh_script(const Subcommand& tree);
std::string fish_script(const Subcommand& tree);

// A subcommand and the words that lead to it, "policy check"; of tbsctl itself they are empty.
using Place = std::pair<std::string, const Subcommand*>;
// The tree, each subcommand before its parts.
std::vector<Place> places(const Subcommand& tree);

// Whether the subcommand takes this option of all: one that prints no JSON refuses --json.
bool takes(const Subcommand& subcommand, const Option& of_all);

// "-f" and "--file" of "-f,--file".
std::vector<std::string> spellings(const Option& option);

// What a script says in front: it was made, and how.
std::string script_header(std::string_view shell);

// The text between single quotes, with what stands for a quote in it.
std::string quoted(std::string_view text, std::string_view quote = R"('\'')");

}  // namespace tbs::ctl
