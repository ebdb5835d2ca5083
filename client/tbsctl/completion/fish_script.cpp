#include <algorithm>

#include "client/tbsctl/completion/scripts.h"

namespace tbs::ctl {
namespace {

constexpr const char* kFishHelpers = R"(# How the daemon was named, and the program.
function __tbsctl_reach
    set -l words (commandline -opc)
    set -l reach $words[1]
    for i in (seq 2 (count $words))
        switch $words[$i]
            case --socket --device
                set reach $words[1] $words[$i] $words[(math $i + 1)]
            case '--socket=*' '--device=*'
                set reach $words[1] $words[$i]
        end
    end
    printf '%s\n' $reach
end

# One line for each: the heading goes, the number stays.
function __tbsctl_contexts
    set -l reach (__tbsctl_reach)
    $reach contexts 2>/dev/null | string match -rg '^\s*(\d+)\s'
end

function __tbsctl_tpms
    for path in /sys/class/tpm/*
        string replace -r '.*/' '' -- $path
    end
end

# Whether the words so far lead to this subcommand.
function __tbsctl_at
    set -l at
    set -l value 0
    for word in (commandline -opc)[2..]
        if test $value = 1
            set value 0
            continue
        end
        switch $word
            case )";

constexpr const char* kFishAfterValues = R"(
                set value 1
            case '-*'
                continue
            case '*'
                switch "$at $word"
                    case )";

constexpr const char* kFishAfterNames = R"(
                        set at (string trim "$at $word")
                end
        end
    end
    test "$at" = "$argv"
end

complete -c tbsctl -f
)";

std::string text_of(std::string_view text) {
  return quoted(text, R"(\')");
}

std::string offered(const Offer& offer, bool argument) {
  const std::string only = argument ? "-a " : "-x -a ";
  std::string words;
  switch (offer.kind) {
    case Offer::Kind::Nothing:
      return argument ? "" : "-x";
    case Offer::Kind::Words:
      for (const std::string& word : offer.words) words += (words.empty() ? "" : " ") + word;
      return only + text_of(words);
    case Offer::Kind::Files:
      return argument ? "-F" : "-r -F";
    case Offer::Kind::Folders:
      return only + "'(__fish_complete_directories (commandline -ct))'";
    case Offer::Kind::Users:
      return only + "'(__fish_complete_users)'";
    case Offer::Kind::Groups:
      return only + "'(__fish_complete_groups)'";
    case Offer::Kind::Contexts:
      return only + "'(__tbsctl_contexts)'";
    case Offer::Kind::Tpms:
      return only + "'(__tbsctl_tpms)'";
  }
  return "";
}

std::string line_of(const std::string& condition, const Option& option) {
  if (option.argument() && offered(option.offer, true).empty()) return "";
  std::string text = "complete -c tbsctl" + condition;
  if (option.argument()) return text + " " + offered(option.offer, true) + "\n";
  for (const std::string& name : spellings(option)) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.flag()) text += " " + offered(option.offer, false);
  return text + " -d " + text_of(option.about) + "\n";
}

// Where an option of all is offered: everywhere but behind those that do not take it.
std::string condition_of(const Option& of_all, const Subcommand& tree) {
  std::string condition;
  for (const auto& [at, entry] : places(tree)) {
    if (takes(*entry, of_all)) continue;
    condition += (condition.empty() ? "" : "; and ") + ("not __tbsctl_at " + at);
  }
  return condition.empty() ? "" : " -n " + text_of(condition);
}

std::string lines_of(const std::string& at, const Subcommand& entry) {
  const std::string here = " -n " + text_of(at.empty() ? "__tbsctl_at" : "__tbsctl_at " + at);
  std::string text;
  for (const Option& option : entry.options) {
    text += line_of(at.empty() ? condition_of(option, entry) : here, option);
  }
  if (at.empty()) text += "complete -c tbsctl" + here + " -l version -d 'Print the version'\n";
  for (const Subcommand& part : entry.parts) {
    text +=
        "complete -c tbsctl" + here + " -a " + part.name + " -d " + text_of(part.summary) + "\n";
  }
  return text;
}

}  // namespace

std::string fish_script(const Subcommand& tree) {
  std::string with_value;
  std::string names;
  std::string lines;
  for (const auto& [at, entry] : places(tree)) {
    for (const Option& option : entry->options) {
      if (option.argument() || option.flag()) continue;
      for (const std::string& name : spellings(option)) {
        if ((with_value + " ").find(name + " ") == std::string::npos) {
          with_value += (with_value.empty() ? "" : " ") + name;
        }
      }
    }
    if (!at.empty()) {
      names +=
          (names.empty() ? "" : " ") + text_of(at.find(' ') == std::string::npos ? " " + at : at);
    }
    lines += lines_of(at, *entry);
  }
  return script_header("fish") + kFishHelpers + with_value + kFishAfterValues + names +
         kFishAfterNames + lines;
}

}  // namespace tbs::ctl
