#include <algorithm>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/tpm/commands.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

struct RandomOptions {
  std::uint64_t count = 0;
  bool raw = false;
};

constexpr std::uint32_t kGetRandom = 0x0000017B;
constexpr std::uint32_t kCommandSize = proto::kTpmHeaderSize + 2;
// A TPM gives at most as many bytes as its largest digest has, and says how many it gave.
constexpr std::uint64_t kMostPerCommand = 64;

proto::Buffer get_random_command(std::uint16_t count) {
  proto::Buffer command;
  proto::ByteWriter writer(command);
  writer.be16(proto::kTagNoSessions);
  writer.be32(kCommandSize);
  writer.be32(kGetRandom);
  writer.be16(count);
  return command;
}

std::unexpected<Failure> bad_response(proto::Bytes response) {
  return std::unexpected(
      Failure{.exit = Exit::Failed,
              .message = "the response to TPM2_GetRandom is not valid: " + to_hex(response)});
}

// The bytes in a response; at least one and no more than `most`.
std::expected<proto::Bytes, Failure> random_bytes_in(proto::Bytes response, std::uint64_t most) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return bad_response(response);
  if (header->code != 0) {
    const RcText rc = describe_response(*header);
    return std::unexpected(Failure{
        .exit = Exit::Tpm, .message = "TPM2_GetRandom was answered " + rc_line(header->code, rc)});
  }
  proto::ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize);
  const proto::Bytes bytes = reader.take(reader.be16());
  if (!reader.at_end() || bytes.empty() || bytes.size() > most) return bad_response(response);
  return bytes;
}

std::expected<proto::Bytes, Failure> get_random(Conversation& daemon, std::uint64_t wanted) {
  const auto count = static_cast<std::uint16_t>(std::min(wanted, kMostPerCommand));
  const proto::Buffer command = get_random_command(count);
  const auto result = daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command});
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("tbsd did not run TPM2_GetRandom", result->status));
  }
  return random_bytes_in(result->response, count);
}

}  // namespace

Outcome run_random(Conversation& daemon, const Console& console, std::uint64_t count, bool raw) {
  std::string held;  // a JSON document is printed as a whole, everything else as it comes
  for (std::uint64_t left = count; left > 0;) {
    const auto bytes = get_random(daemon, left);
    if (!bytes) return std::unexpected(bytes.error());
    left -= bytes->size();
    if (console.json) {
      held += to_hex(*bytes);
    } else if (raw) {
      console.out << std::string(bytes->begin(), bytes->end());
    } else {
      console.out << to_hex(*bytes);
    }
    if (!console.out) return {};
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
