// Answers of swtpm's control channel, cut into pieces of any size: the first byte names the
// command, the second the size of the pieces. The answer must not depend on the cut.

#include "daemon/device/swtpm_control.h"

#include <algorithm>
#include <array>
#include <cstdlib>

using namespace tbs;
using device::ControlCommand;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

using Outcome = std::expected<std::optional<device::ControlAnswer>, std::string>;

Outcome read_answer(ControlCommand command, proto::Bytes stream, std::size_t piece) {
  device::ControlAnswerReader reader(command);
  Outcome outcome = reader.feed({});
  while (!stream.empty() && outcome && !*outcome) {
    const proto::Bytes part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    outcome = reader.feed(part);
  }
  return outcome;
}

void require_same(const Outcome& one, const Outcome& other) {
  require(one.has_value() == other.has_value());
  if (!one || !*one) return require(!one || !*other);
  require(other->has_value());
  require((*one)->result == (*other)->result);
  require((*one)->capabilities == (*other)->capabilities);
  require((*one)->family == (*other)->family);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kCommands{ControlCommand::GetCapability,     ControlCommand::Init,
                                 ControlCommand::GetTpmEstablished, ControlCommand::SetLocality,
                                 ControlCommand::CancelTpmCommand,  ControlCommand::GetInfo};
  if (size < 2) return 0;
  const ControlCommand command = kCommands[data[0] % kCommands.size()];
  const proto::Bytes stream(data + 2, size - 2);
  require_same(read_answer(command, stream, std::size_t{data[1]} + 1),
               read_answer(command, stream, std::max<std::size_t>(stream.size(), 1)));
  return 0;
}
