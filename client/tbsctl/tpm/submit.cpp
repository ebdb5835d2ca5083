#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

nlohmann::ordered_json as_json(proto::Bytes response, const proto::TpmHeader& header,
                               const RcText& rc) {
  return {{"response", to_hex(response)},
          {"tag", header.tag},
          {"response_code", header.code},
          {"name", rc.name},
          {"where", rc.where},
          {"text", rc.text}};
}

Failure submit_failure(const SubmitRequest& request, proto::Status status) {
  Failure failure = tbs_failure("tbsd did not run the command", status);
  if (request.locality != 0 && status == proto::Status::AccessDenied) {
    failure.message += "; localities other than 0 are for administrators";
  } else if (request.locality != 0 && status == proto::Status::BadParameter) {
    failure.message += "; there is no locality " + std::to_string(request.locality);
  }
  return failure;
}

void print_response(const Console& console, proto::Bytes response, bool raw) {
  if (raw) {
    const std::string bytes(response.begin(), response.end());
    console.out << bytes;
  } else {
    console.out << to_hex(response) << '\n';
  }
}

}  // namespace

Outcome run_submit(Conversation& daemon, const Console& console, const SubmitRequest& request) {
  const auto result = daemon.ask(proto::Submit{
      .locality = request.locality, .priority = request.priority, .command = request.command});
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) {
    return std::unexpected(submit_failure(request, result->status));
  }
  const auto header = proto::read_tpm_header(result->response);
  if (!header) {
    return std::unexpected(
        Failure{.exit = Exit::Failed,
                .message = "the response has no valid TPM header: " + to_hex(result->response)});
  }
  const RcText rc = describe_response(*header);
  if (console.json) {
    print_json(console.out, as_json(result->response, *header, rc));
  } else {
    print_response(console, result->response, request.raw);
  }
  const std::string line = "the TPM answered " + rc_line(header->code, rc);
  if (header->code != 0) return std::unexpected(Failure{.exit = Exit::Tpm, .message = line});
  if (!console.json) console.notes << "tbsctl: " << line << '\n';
  return {};
}

}  // namespace tbs::ctl
