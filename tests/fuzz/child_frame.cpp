// The frames of the embedded TPM's process, cut into pieces of any size. What comes out must be
// what a second assembler gets from the same bytes in one piece, and must encode to what went in.

#include "daemon/device/child_frame.h"

#include <algorithm>
#include <cstdlib>

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// All frames in `stream`, encoded again; the stream is fed in pieces of `piece` bytes.
proto::Buffer reassemble(proto::Bytes stream, std::size_t piece, bool& broken) {
  device::ChildFrameAssembler assembler;
  proto::Buffer out;
  broken = false;
  while (!stream.empty()) {
    const proto::Bytes part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    assembler.append(part);
    while (true) {
      const auto frame = assembler.next();
      broken = !frame.has_value();
      if (broken) return out;
      if (!*frame) break;
      require((*frame)->payload.size() <= device::kMaxFramePayload);
      const proto::Buffer bytes =
          device::encode_child_frame((*frame)->sequence, (*frame)->kind, (*frame)->payload);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const proto::Bytes stream(data + 1, size - 1);
  bool broken_in_pieces = false;
  bool broken_at_once = false;
  const proto::Buffer pieces = reassemble(stream, std::size_t{data[0]} + 1, broken_in_pieces);
  const proto::Buffer at_once =
      reassemble(stream, std::max<std::size_t>(stream.size(), 1), broken_at_once);
  require(pieces == at_once && broken_in_pieces == broken_at_once);
  require(pieces.size() <= stream.size());
  require(std::equal(pieces.begin(), pieces.end(), stream.begin()));
  return 0;
}
