#include <algorithm>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/tpm/commands.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

struct RandomOptions {
  std::uint64_t count = 0;
  bool raw = false;
};

// A TPM gives at most as many bytes as its largest digest has, and says how many it gave.
constexpr std::uint64_t kMostPerCommand = 64;
// So many in the time that tbsctl has for TPM commands: what gives less, keeps us here. It is less
// than the smallest digest.
constexpr std::uint64_t kLeastProgress = 16;

std::unexpected<Failure> bad_response(proto::Bytes response) {
  return std::unexpected(
      Failure{.exit = Exit::Failed,
              .message = "the response to TPM2_GetRandom is not valid: " + to_hex(response)});
}

// The bytes in a response; at least one and no more than `most`.
std::expected<proto::Buffer, Failure> random_bytes_in(proto::Bytes response, std::uint64_t most) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return bad_response(response);
  if (header->code != 0) {
    const RcText rc = describe_response(*header);
    return std::unexpected(Failure{
        .exit = Exit::Tpm, .message = "TPM2_GetRandom was answered " + rc_line(header->code, rc)});
  }
  proto::Bytes left = response.subspan(proto::kTpmHeaderSize);
  const auto bytes = tpm::take<TPM2B_DIGEST>(left);
  if (!bytes || !left.empty() || bytes->size == 0 || bytes->size > most)
    return bad_response(response);
  return proto::Buffer(bytes->buffer, bytes->buffer + bytes->size);
}

std::expected<proto::Buffer, Failure> get_random(Conversation& daemon, std::uint64_t wanted,
                                                 client::Deadline deadline) {
  const auto count = static_cast<std::uint16_t>(std::min(wanted, kMostPerCommand));
  const proto::Buffer command = tpm::build::get_random(count);
  const auto result =
      daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command}, deadline);
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("tbsd did not run TPM2_GetRandom", result->status));
  }
  return random_bytes_in(result->response, count);
}

}  // namespace

Outcome run_random(Conversation& daemon, const Console& console, std::uint64_t count, bool raw) {
  std::string held;  // a JSON document is printed as a whole, everything else as it comes
  client::Deadline deadline = Conversation::deadline_for(Patience::Tpm);
  std::uint64_t progress = 0;
  for (std::uint64_t left = count; left > 0;) {
    const auto bytes = get_random(daemon, left, deadline);
    if (!bytes) return std::unexpected(bytes.error());
    left -= bytes->size();
    progress += bytes->size();
    if (progress >= kLeastProgress) {
      progress = 0;
      deadline = Conversation::deadline_for(Patience::Tpm);
    }
    if (console.json) {
      held += to_hex(*bytes);
    } else if (raw) {
      console.bytes() << std::string(bytes->begin(), bytes->end());
    } else {
      console.out << to_hex(*bytes);
    }
    if (!console.out || !console.bytes()) return {};
  }
  if (console.json) {
    print_json(console.out, {{"count", count}, {"random", held}});
  } else if (!raw) {
    console.out << '\n';
  }
  return {};
}

Subcommand random_subcommand() {
  const auto options = std::make_shared<RandomOptions>();
  return {.name = "random",
          .summary = "Print random bytes from the TPM",
          .help =
              "In hexadecimal, fetched with as many TPM2_GetRandom commands as needed. A TPM 2.0 "
              "is\nneeded.\n\nExample:\n  tbsctl random --raw 512 > /dev/random",
          .options = {{.name = "N",
                       .about = "How many bytes",
                       .read = read_number<std::uint64_t>(field(options, &RandomOptions::count), 1),
                       .required = true},
                      {.name = "--raw",
                       .about = "Print bytes instead of hexadecimal",
                       .read = set(field(options, &RandomOptions::raw)),
                       .not_with_json = true}},
          .needs = always(kTpm20Context),
          .run = [options](const Environment& environment) {
            return run_random(*environment.daemon, environment.console, options->count,
                              options->raw);
          }};
}

}  // namespace tbs::ctl
