// What clients of tbsctl bridge send, cut into pieces of any size: the first byte names the
// protocol, the second the size of the pieces. What the client wants must not depend on the cut,
// and nothing that it wants may be longer than a TPM command can be. What is answered in the TPM's
// place is a response, whatever is wrong with the command.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/power_state.h"
#include "client/tbsctl/bridge/saved_sessions.h"
#include "client/tbsctl/bridge/tpm_answer.h"
#include "proto/limits.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

using namespace tbs;
using namespace tbs::ctl::bridge;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// What is missing, as the resource manager says it.
constexpr std::array<std::uint32_t, 6> kRefusals{tpm::at_handle(tpm::rc::kHandle, 1),
                                                 tpm::at_handle(tpm::rc::kHandle, 7),
                                                 tpm::rc::kReferenceH0 + 2,
                                                 tpm::rc::kReferenceS0 + 6,
                                                 tpm::rc::kSize,
                                                 tpm::at_parameter(tpm::rc::kHandle, 1)};

std::uint32_t refused(proto::Bytes command, std::uint32_t code) {
  proto::Buffer response =
      proto::tpm_error_response(tpm::kTagNoSessions, tpm::by_resource_manager(code));
  adapt_response(command, response);
  SavedSessions saved;
  saved.note(command, proto::tpm_response(tpm::kTagNoSessions, 0, command));
  while (saved.take_flush()) {
  }
  return proto::read_tpm_header(response)->code;
}

proto::Buffer answer_of_waiting_tpm(proto::Bytes command) {
  PowerState power;
  power.prepared(prepares_resume(command, proto::tpm_error_response(0, 0)).value_or(false));
  power.cycle();
  const auto response = power.answer(command);
  require(!response || proto::read_tpm_header(*response).has_value());
  return response.value_or(proto::Buffer{});
}

// A wish as bytes: its kind, what it carries, what is answered.
proto::Buffer as_bytes(const Wish& wish) {
  proto::Buffer bytes{static_cast<std::uint8_t>(wish.index())};
  proto::ByteWriter writer(bytes);
  if (const auto* run = std::get_if<Execute>(&wish)) {
    require(run->command.size() <= proto::kMaxTpmMessage);
    writer.u8(run->has_locality ? run->locality : 0xFF);
    writer.bytes(run->command);
    proto::Buffer response = answer_for(run->command, proto::Status::CommandCanceled);
    adapt_response(run->command, response);
    require(proto::read_tpm_header(response).has_value());
    for (const std::uint32_t code : kRefusals) writer.be32(refused(run->command, code));
    writer.bytes(answer_of_waiting_tpm(run->command));
  } else if (const auto* reply = std::get_if<Reply>(&wish)) {
    require(!reply->bytes.empty());
    writer.bytes(reply->bytes);
  } else if (const auto* cancel = std::get_if<Cancel>(&wish)) {
    writer.bytes(cancel->answer);
  } else if (const auto* use = std::get_if<UseLocality>(&wish)) {
    require(use->locality <= 4);
    writer.u8(use->locality);
  } else if (const auto* off = std::get_if<PowerOff>(&wish)) {
    require(!off->answer.empty());
    writer.bytes(off->answer);
  } else if (const auto* broken = std::get_if<Broken>(&wish)) {
    require(!broken->why.empty());
    writer.bytes(broken->answer);
  }
  return bytes;
}

bool is_last(const Wish& wish) {
  return std::holds_alternative<Leave>(wish) || std::holds_alternative<Broken>(wish);
}

std::vector<proto::Buffer> wishes_of(Framing& framing, proto::Bytes stream, std::size_t piece) {
  std::vector<proto::Buffer> all;
  while (true) {
    const Wish wish = framing.next();
    if (!std::holds_alternative<Nothing>(wish)) all.push_back(as_bytes(wish));
    if (is_last(wish)) return all;
    if (!std::holds_alternative<Nothing>(wish)) continue;
    if (stream.empty()) return all;
    const proto::Bytes part = stream.first(std::min(piece, stream.size()));
    framing.feed(part);
    stream = stream.subspan(part.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kFramings{raw_framing, mssim_command_framing, mssim_platform_framing,
                                 swtpm_control_framing};
  if (size < 2) return 0;
  const auto make = kFramings[data[0] % kFramings.size()];
  const proto::Bytes stream(data + 2, size - 2);
  const auto pieces = make();
  const auto whole = make();
  require(wishes_of(*pieces, stream, std::size_t{data[1]} + 1) ==
          wishes_of(*whole, stream, std::max<std::size_t>(stream.size(), 1)));
  return 0;
}
