// TPM commands one after the other, with nothing around them: the length is in their header. So
// speak swtpm's data channel, and TPM programs over a plain socket.

#include "client/tbsctl/bridge/framing.h"
#include "proto/limits.h"

namespace tbs::ctl::bridge {
namespace {

class RawFraming : public Framing {
 public:
  [[nodiscard]] proto::Buffer pack(proto::Bytes response) const override {
    return {response.begin(), response.end()};
  }

 protected:
  Wish parse(proto::ByteReader& reader) override {
    proto::ByteReader header = reader;
    header.skip(2);  // the tag
    const std::uint32_t size = header.be32();
    if (!header.ok()) return reader.skip(proto::kTpmHeaderSize), Nothing{};
    if (size < proto::kTpmHeaderSize || size > proto::kMaxTpmMessage) return too_long(size);
    return Execute{.command = reader.take(size)};
  }
};

}  // namespace

std::unique_ptr<Framing> raw_framing() {
  return std::make_unique<RawFraming>();
}

}  // namespace tbs::ctl::bridge
