// What clients of tbsctl bridge send, cut into pieces of any size: the first byte names the
// protocol, the second the size of the pieces. What the client wants must not depend on the cut,
// and nothing that it wants may be longer than a TPM command can be.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/tpm_answer.h"
#include "proto/limits.h"
#include "proto/tpm_header.h"

using namespace tbs;
using namespace tbs::ctl::bridge;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
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
