#include <initializer_list>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/presence/commands.h"
#include "client/tbsctl/presence/presence_words.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/table.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using Words = std::vector<std::uint32_t>;

struct PresenceRequest {
  std::optional<std::uint32_t> operation;  // to submit; nothing: show
  std::optional<std::uint32_t> parameter;
  bool confirmed = false;
};

// Functions of the physical presence interface.
enum Function : std::uint32_t {
  kVersion = 1,
  kPending = 3,
  kTransition = 4,
  kResponse = 5,
  kSubmit = 7,
  kConfirmation = 8,
};

constexpr std::uint32_t kFamily12 = 1;

constexpr std::string_view kWarning =
    "physical presence operations change the TPM itself: clearing it destroys every key in it, and "
    "with them what they protect (encrypted disks, for instance)";

std::expected<proto::Buffer, Failure> call(Conversation& daemon, const Words& input) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  for (const std::uint32_t word : input) writer.le32(word);
  const auto reply = daemon.ask(proto::PhysicalPresence{.input = bytes});
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("the physical presence interface", reply->status));
  }
  return proto::Buffer(reply->output.begin(), reply->output.end());
}

// At least `least` integers.
std::expected<Words, Failure> call_for(Conversation& daemon, const Words& input,
                                       std::size_t least) {
  const auto output = call(daemon, input);
  if (!output) return std::unexpected(output.error());
  Words words;
  proto::ByteReader reader(*output);
  while (reader.remaining() >= 4) words.push_back(reader.le32());
  if (words.size() >= least) return words;
  return std::unexpected(Failure{.exit = Exit::Failed,
                                 .message = "the physical presence interface answered too little"});
}

struct Presence {
  std::string version;
  std::uint32_t pending = 0;
  std::uint32_t transition = 0;
  std::uint32_t last = 0;
  std::uint32_t response = 0;
  bool tpm12 = false;
};

std::expected<Presence, Failure> ask_state(Conversation& daemon) {
  Presence state;
  const auto version = call(daemon, {kVersion});
  if (!version) return std::unexpected(version.error());
  state.version.assign(version->begin(), version->end());
  if (state.version.ends_with('\0')) state.version.pop_back();
  const auto pending = call_for(daemon, {kPending}, 2);
  if (!pending) return std::unexpected(pending.error());
  const auto transition = call_for(daemon, {kTransition}, 1);
  if (!transition) return std::unexpected(transition.error());
  const auto response = call_for(daemon, {kResponse}, 3);
  if (!response) return std::unexpected(response.error());
  const auto info = daemon.ask(proto::DeviceInfo{});
  if (!info) return std::unexpected(info.error());
  state.pending = (*pending)[1];
  state.transition = (*transition)[0];
  state.last = (*response)[1];
  state.response = (*response)[2];
  state.tpm12 = info->tpm_version == kFamily12;
  return state;
}

Outcome show(Conversation& daemon, const Console& console) {
  const auto state = ask_state(daemon);
  if (!state) return std::unexpected(state.error());
  if (console.json) {
    print_json(console.out, {{"version", printable(state->version)},
                             {"pending", state->pending},
                             {"transition", state->transition},
                             {"last_operation", state->last},
                             {"last_response", state->response}});
    return {};
  }
  print_properties(console.out,
                   {{"Version", printable(state->version)},
                    {"Pending operation", operation_text(state->pending, state->tpm12)},
                    {"Required to apply", std::string(transition_text(state->transition))},
                    {"Last operation", operation_text(state->last, state->tpm12)},
                    {"Result", state->last == 0 ? "-" : response_text(state->response)}});
  return {};
}

Outcome submit(Conversation& daemon, const Console& console, const PresenceRequest& request) {
  const auto confirmation = call_for(daemon, {kConfirmation, *request.operation}, 1);
  if (!confirmation) return std::unexpected(confirmation.error());
  Words input{kSubmit, *request.operation};
  if (request.parameter) input.push_back(*request.parameter);
  const auto result = call_for(daemon, input, 1);
  if (!result) return std::unexpected(result.error());
  if (result->front() != 0) {
    return std::unexpected(Failure{
        .exit = Exit::Failed,
        .message = "the firmware did not take operation " + std::to_string(*request.operation) +
                   " (" + (result->front() == 1 ? "not supported" : "it failed") + "); it is " +
                   std::string(confirmation_text(confirmation->front()))});
  }
  const auto transition = call_for(daemon, {kTransition}, 1);
  if (!transition) return std::unexpected(transition.error());
  if (console.json) {
    print_json(console.out, {{"operation", *request.operation},
                             {"confirmation", confirmation->front()},
                             {"transition", transition->front()}});
    return {};
  }
  console.out << "operation " << *request.operation
              << " is pending: " << confirmation_text(confirmation->front())
              << "; required to apply: " << transition_text(transition->front()) << '\n';
  return {};
}

// Taking a request back needs none.
bool needs_confirmation(const PresenceRequest& request) {
  return request.operation.value_or(0) != 0;
}

Outcome check_confirmed(const PresenceRequest& request) {
  if (!needs_confirmation(request) || request.confirmed) return {};
  return std::unexpected(
      Failure{.exit = Exit::Usage,
              .message = std::string(kWarning) + "; say --yes if that is what you want"});
}

Reader read_operation(const std::shared_ptr<PresenceRequest>& request) {
  return [request](const std::string& text) -> std::expected<void, std::string> {
    request->operation = parse_operation(text);
    if (!request->operation) {
      return std::unexpected("'" + text + "' is neither a number nor one of " +
                             listed(kSubmittedByName));
    }
    return {};
  };
}

std::vector<Option> presence_options(const std::shared_ptr<PresenceRequest>& request) {
  return {
      {.name = "--submit",
       .value = "OPERATION",
       .about = "Ask the firmware to do this at the next start: clear, none (take it back) or a "
                "number",
       .read = read_operation(request),
       .offer = names_of(kSubmittedByName)},
      {.name = "--parameter",
       .value = "NUMBER",
       .about = "Parameter of the operation, such as the banks of operation 23",
       .read = read_number(field(request, &PresenceRequest::parameter))},
      {.name = "--yes",
       .about = "Really submit it",
       .read = set(field(request, &PresenceRequest::confirmed))}};
}

}  // namespace

Subcommand ppi_subcommand() {
  const auto request = std::make_shared<PresenceRequest>();
  return {
      .name = "ppi",
      .summary = "Show the firmware's physical presence interface, or use it",
      .help =
          "Shows the operation that is pending, what is required to apply it, and the last "
          "operation\nwith its result.\n\n"
          "Clearing the TPM destroys every key in it. Administrators alone may submit.\n\n"
          "Example:\n  tbsctl ppi --submit none --yes",
      .options = presence_options(request),
      .prepare = [request] { return check_confirmed(*request); },
      .needs = always(kObserver),
      .run =
          [request](const Environment& environment) {
            const Console& console = environment.console;
            if (!request->operation) return show(*environment.daemon, console);
            if (needs_confirmation(*request)) {
              console.notes << "tbsctl: warning: " << kWarning
                            << "; `tbsctl ppi --submit none` takes it back\n";
            }
            return submit(*environment.daemon, console, *request);
          },
  };
}

}  // namespace tbs::ctl
