#include <algorithm>

#include "client/tbsctl/completion/scripts.h"

namespace tbs::ctl {
namespace {

constexpr const char* kZshStart = R"zsh(_tbsctl_contexts() {
  local -a numbers
  # One line for each: the heading goes, the number stays.
  numbers=(${(f)"$($reach contexts 2>/dev/null | awk 'NR > 1 { print $1 }')"})
  compadd -a numbers
}

_tbsctl_tpms() {
  local -a tpms
  tpms=(/sys/class/tpm/*(N:t))
  compadd -a tpms
}
)zsh";

constexpr const char* kZshEnd = R"zsh(
_tbsctl() {
  # How the daemon was named.
  local -a reach
  local i
  reach=($words[1])
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      --socket|--device) reach=($words[1] $words[i] ${(Q)words[i + 1]}) ;;
      --socket=*|--device=*) reach=($words[1] $words[i]) ;;
    esac
  done
  _tbsctl__
}

_tbsctl "$@"
)zsh";

// In a specification of _arguments.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '[' || letter == ']' || letter == ':') result += '\\';
    result += letter;
  }
  return result;
}

std::string action(const Offer& offer) {
  std::string words;
  switch (offer.kind) {
    case Offer::Kind::Nothing:
      return "";
    case Offer::Kind::Words:
      for (const std::string& word : offer.words) words += (words.empty() ? "" : " ") + word;
      return "(" + words + ")";
    case Offer::Kind::Files:
      return "_files";
    case Offer::Kind::Folders:
      return "_files -/";
    case Offer::Kind::Users:
      return "_users";
    case Offer::Kind::Groups:
      return "_groups";
    case Offer::Kind::Contexts:
      return "_tbsctl_contexts";
    case Offer::Kind::Tpms:
      return "_tbsctl_tpms";
  }
  return "";
}

// The lines of _arguments about one option or argument.
std::string specification(const Option& option) {
  const auto names = spellings(option);
  if (option.argument()) {
    const char* const start = option.repeated ? "*:" : option.required ? ":" : "::";
    return "    " + quoted(start + escaped(option.name) + ":" + action(option.offer)) + " \\\n";
  }
  std::string others = option.name == "--socket"   ? "--device"
                       : option.name == "--device" ? "--socket"
                                                   : "";
  if (names.size() > 1) others = names[0] + " " + names[1];
  std::string text;
  for (const std::string& name : names) {
    std::string line = option.repeated ? "*" : others.empty() ? "" : "(" + others + ")";
    line += name;
    if (!option.flag()) line += name.starts_with("--") ? "=" : "+";
    line += "[" + escaped(option.about) + "]";
    if (!option.flag()) line += ":" + escaped(option.value) + ":" + action(option.offer);
    text += "    " + quoted(line) + " \\\n";
  }
  return text;
}

std::string function_name(std::string words) {
  std::ranges::replace(words, ' ', '_');
  return "_tbsctl__" + words;
}

// What it is followed by: one of its parts, whose own function has the rest of the line.
std::string parts_of(const std::string& at, const Subcommand& entry) {
  std::string text = "    '1: :->part' '*:: :->rest'\n  case $state in\n    part)\n      list=(\n";
  for (const Subcommand& part : entry.parts) {
    text += "        " + quoted(part.name + ":" + escaped(part.summary)) + "\n";
  }
  text +=
      "      )\n      _describe -t subcommands subcommand list\n      ;;\n    rest)\n      case "
      "$words[1] in\n";
  for (const Subcommand& part : entry.parts) {
    text += "        " + part.name + ") " +
            function_name(at.empty() ? part.name : at + " " + part.name) + " ;;\n";
  }
  return text + "      esac\n      ;;\n  esac\n";
}

std::string function_of(const std::string& at, const Subcommand& entry, const Subcommand& tree) {
  std::string text = "\n" + function_name(at) + "() {\n";
  if (!entry.parts.empty()) text += "  local curcontext=$curcontext state line\n  local -a list\n";
  text += "  local -A opt_args\n  _arguments -C \\\n";
  for (const Option& option : entry.options) text += specification(option);
  if (&entry == &tree) text += "    '(- *)--version[Print the version]' \\\n";
  for (const Option& option : tree.options) {
    if (&entry != &tree && takes(entry, option)) text += specification(option);
  }
  if (entry.parts.empty()) {
    text.resize(text.size() - 3);  // the last " \\\n"
    return text + "\n}\n";
  }
  return text + parts_of(at, entry) + "}\n";
}

}  // namespace

std::string zsh_script(const Subcommand& tree) {
  std::string text = "#compdef tbsctl\n" + script_header("zsh") + kZshStart;
  for (const auto& [at, entry] : places(tree)) text += function_of(at, *entry, tree);
  return text + kZshEnd;
}

}  // namespace tbs::ctl
