#include "client/tbsctl/bridge/framing.h"

namespace tbs::ctl::bridge {

void Framing::feed(proto::Bytes bytes) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  consumed_ = 0;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

Wish Framing::next() {
  const proto::Bytes unread = proto::Bytes(pending_).subspan(consumed_);
  proto::ByteReader reader(unread);
  Wish wish = parse(reader);
  if (std::holds_alternative<Broken>(wish)) return wish;
  if (!reader.ok()) return Nothing{};
  consumed_ = pending_.size() - reader.remaining();
  return wish;
}

Broken too_long(std::uint32_t length) {
  return {.why = "a frame says it has " + std::to_string(length) + " bytes", .answer = {}};
}

}  // namespace tbs::ctl::bridge
