#include <algorithm>
#include <iterator>
#include <map>

#include "client/tbsctl/completion/scripts.h"

namespace tbs::ctl {
namespace {

constexpr const char* kBashStart = R"(_tbsctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local at='' offer='' words='' reach=() word i
  # Bash takes --option=value for three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  # at: the subcommand; reach: how the daemon was named.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
)";

constexpr const char* kBashAfterValues = R"()
        [[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))
        ((i++))
        [[ $word != --socket && $word != --device ]] || reach=("$word" "${COMP_WORDS[i]}")
        ;;
      *)
        case "$at $word" in
)";

constexpr const char* kBashAfterNames = R"() at=${at:+$at }$word ;;
        esac
        ;;
    esac
  done
  case "$at,$previous" in
)";

constexpr const char* kBashEnd = R"(  esac
  COMPREPLY=()
  [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  case $offer in
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    users) mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
    groups) mapfile -t COMPREPLY < <(compgen -g -- "$current") ;;
    tpms) mapfile -t COMPREPLY < <(cd /sys/class/tpm 2>/dev/null && compgen -d -- "$current") ;;
    contexts)
      # One line for each: the heading goes, the number stays.
      words=$("${COMP_WORDS[0]}" "${reach[@]}" contexts 2>/dev/null | awk 'NR > 1 { print $1 }')
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      ;;
  esac
}

complete -F _tbsctl tbsctl
)";

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string assignment(const Offer& offer) {
  switch (offer.kind) {
    case Offer::Kind::Nothing:
      return "";
    case Offer::Kind::Words:
      return "words='" + joined(offer.words, " ") + "'";
    case Offer::Kind::Files:
      return "offer=files";
    case Offer::Kind::Folders:
      return "offer=folders";
    case Offer::Kind::Users:
      return "offer=users";
    case Offer::Kind::Groups:
      return "offer=groups";
    case Offer::Kind::Contexts:
      return "offer=contexts";
    case Offer::Kind::Tpms:
      return "offer=tpms";
  }
  return "";
}

// By what is offered: the patterns of "$at,$previous".
std::string value_cases(const Subcommand& tree) {
  std::map<std::string, std::vector<std::string>> patterns;
  for (const auto& [words, entry] : places(tree)) {
    for (const Option& option : entry->options) {
      if (option.argument() || option.flag()) continue;
      const std::string at = (words.empty() ? "*" : quoted(words)) + ",";
      for (const std::string& name : spellings(option)) {
        patterns[assignment(option.offer)].push_back(at + name);
      }
    }
  }
  std::string text;
  for (const auto& [what, of] : patterns) {
    text += "    " + joined(of, " | ") + ") " + (what.empty() ? "return" : what) + " ;;\n";
  }
  return text;
}

// Of `entry`, as far as `user` takes them.
std::vector<std::string> option_names(const Subcommand& entry, const Subcommand& user) {
  std::vector<std::string> names;
  for (const Option& option : entry.options) {
    if (option.argument() || !takes(user, option)) continue;
    for (std::string& name : spellings(option)) names.push_back(std::move(name));
  }
  return names;
}

// What is offered where no value is due: options after a dash, else the next word.
std::string word_case(const std::string& at, const Subcommand& entry, const Subcommand& tree) {
  auto options = option_names(entry, entry);
  if (&entry == &tree) options.emplace_back("--version");
  if (&entry != &tree) std::ranges::copy(option_names(tree, entry), std::back_inserter(options));
  std::string next;
  for (const Subcommand& part : entry.parts) next += (next.empty() ? "" : " ") + part.name;
  if (!next.empty()) next = "words='" + next + "'";
  for (const Option& option : entry.options) {
    if (option.argument() && next.empty()) next = assignment(option.offer);
  }
  const std::string after_dash = "words='" + joined(options, " ") + "'";
  const auto line = [&at](const std::string& current, const std::string& what) {
    return "        " + quoted(at) + "," + current + ") " + what + " ;;\n";
  };
  if (next.empty()) return line("*", after_dash);
  return line("-*", after_dash) + line("*", next);
}

}  // namespace

std::string bash_script(const Subcommand& tree) {
  std::vector<std::string> with_value;
  std::vector<std::string> names;
  std::string words;
  for (const auto& [at, entry] : places(tree)) {
    for (const Option& option : entry->options) {
      if (option.argument() || option.flag()) continue;
      for (const std::string& name : spellings(option)) {
        if (std::ranges::find(with_value, name) == with_value.end()) with_value.push_back(name);
      }
    }
    if (!at.empty()) names.push_back(quoted(at.contains(' ') ? at : " " + at));
    words += word_case(at, *entry, tree);
  }
  return script_header("bash") + kBashStart + "      " + joined(with_value, " | ") +
         kBashAfterValues + "          " + joined(names, " | ") + kBashAfterNames +
         value_cases(tree) + "    *)\n      case \"$at,$current\" in\n" + words +
         "      esac\n      ;;\n" + kBashEnd;
}

}  // namespace tbs::ctl
