#pragma once

// What a subcommand of tbsctl is made of. subcommands.h lists them all; each topic's folder has
// those that belong to it, and command_line.h reads a user's words by them.

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/text/console.h"
#include "client/tbsctl/text/failure.h"
#include "proto/message.h"

namespace tbs::ctl {

using Outcome = std::expected<void, Failure>;

// What a subcommand needs from tbsd.
struct Needs {
  enum class Connection : std::uint8_t { None, Observer, Context };
  Connection connection = Connection::None;
  std::uint32_t families = 0;  // that a context can use: proto::kWantTpm12, kWantTpm20
};
inline constexpr Needs kNoDaemon{};
inline constexpr Needs kObserver{.connection = Needs::Connection::Observer};
inline constexpr Needs kContext{.connection = Needs::Connection::Context,
                                .families = proto::kWantTpm12 | proto::kWantTpm20};
inline constexpr Needs kTpm20Context{.connection = Needs::Connection::Context,
                                     .families = proto::kWantTpm20};

// Takes the text that a user gave; the error says what is wrong with it.
using Reader = std::function<std::expected<void, std::string>(const std::string& text)>;

// What a shell offers where a value is typed.
struct Offer {
  enum class Kind : std::uint8_t { Nothing, Words, Files, Folders, Users, Groups, Contexts, Tpms };
  Kind kind = Kind::Nothing;
  std::vector<std::string> words;
};

struct Option {
  std::string name;   // "--raw", "-f,--file"; without a dash it is an argument: "ID"
  std::string value;  // what the help calls the value; empty for flags and arguments
  std::string about;
  Reader read;  // of a flag: called when it is there
  bool required = false;
  bool repeated = false;  // may have several values; all are read
  bool not_with_json = false;
  std::string with;  // an option declared before, without which this one means nothing
  Offer offer;

  [[nodiscard]] bool argument() const { return !name.starts_with('-'); }
  [[nodiscard]] bool flag() const { return !argument() && value.empty(); }
};

// What a subcommand runs with.
struct Environment {
  const Console& console;
  Conversation* daemon = nullptr;  // after the handshake; null without a connection
  std::string socket;              // that the user named; empty: the default
};

// What --json makes of a subcommand's output. docs/json has the schema of each.
enum class JsonOutput : std::uint8_t {
  Document,
  Lines,  // a document in each line
  None,   // it has a format of its own, and --json is refused
};

struct Subcommand {
  std::string name;
  std::string summary;  // one line, in the list of subcommands
  std::string help;     // below its options: what it prints, who may do it, examples
  std::vector<Option> options;
  // All of these are called after the options have been read.
  std::function<Outcome()> prepare;  // what can fail before tbsd is asked; may be empty
  std::function<Needs()> needs;
  std::function<Outcome(const Environment&)> run;
  JsonOutput json = JsonOutput::Document;
  bool page = false;  // has a manual page of its own: tbsctl-NAME(1)
  // "check" of "policy check": one of them must be named, and is what runs.
  std::vector<Subcommand> parts;
};

// For subcommands whose needs do not depend on their options.
std::function<Needs()> always(Needs needs);

}  // namespace tbs::ctl
