#include <nlohmann/json.hpp>

#include "client/device_id.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using client::IdKey;

std::unexpected<Failure> refused(std::uint32_t code) {
  const proto::TpmHeader header{.tag = tpm::kTagNoSessions, .size = 10, .code = code};
  return std::unexpected(
      Failure{.exit = Exit::Tpm,
              .message = "TPM2_CreatePrimary of the endorsement key was answered " +
                         rc_line(code, describe_response(header))});
}

std::expected<client::IdAnswer, Failure> ask(Conversation& daemon, IdKey key) {
  const proto::Buffer command = client::create_id_key(key);
  const auto result = daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command});
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("tbsd did not run TPM2_CreatePrimary", result->status));
  }
  auto answer = client::read_id_answer(result->response);
  if (!answer) {
    return std::unexpected(Failure{.exit = Exit::Failed,
                                   .message = "the response to TPM2_CreatePrimary is not valid"});
  }
  return *std::move(answer);
}

}  // namespace

Outcome run_id(Conversation& daemon, const Console& console) {
  std::uint32_t refusal = 0;
  for (const IdKey key : {IdKey::P256, IdKey::Rsa2048}) {
    const auto answer = ask(daemon, key);
    if (!answer) return std::unexpected(answer.error());
    refusal = answer->response_code;
    if (refusal == 0) {
      const std::string id = to_hex(answer->id);
      if (console.json) {
        print_json(console.out, {{"id", id}, {"key", key == IdKey::P256 ? "P-256" : "RSA-2048"}});
      } else {
        console.out << id << '\n';
      }
      return {};
    }
    if (!client::is_unknown_key_kind(refusal)) break;
  }
  return refused(refusal);
}

Subcommand id_subcommand() {
  return {.name = "id",
          .summary = "Print the identifier of the TPM",
          .help =
              "SHA-256 over the public area of its endorsement key, in hexadecimal: what "
              "GetDeviceID of tbs(3)\n"
              "gives. A TPM 2.0 is needed.\n\nExample:\n  tbsctl id",
          .needs = always(kTpm20Context),
          .run = [](const Environment& environment) {
            return run_id(*environment.daemon, environment.console);
          }};
}

}  // namespace tbs::ctl
