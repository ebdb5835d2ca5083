#include "daemon/firmware/presence_request.h"

namespace tbs::firmware {
namespace {

using proto::Status;

// How many arguments a function takes, at least and at most; nothing for what is no function.
struct Arity {
  std::size_t least;
  std::size_t most;
};

std::optional<Arity> arity_of(std::uint32_t function) {
  switch (static_cast<PresenceFunction>(function)) {
    case PresenceFunction::Version:
    case PresenceFunction::Pending:
    case PresenceFunction::Transition:
    case PresenceFunction::Response:
      return Arity{0, 0};
    case PresenceFunction::Submit:
    case PresenceFunction::Confirmation:
      return Arity{1, 1};
    case PresenceFunction::SubmitWithParameter:
      return Arity{1, 2};
  }
  return std::nullopt;
}

}  // namespace

std::expected<PresenceRequest, Status> parse_presence(proto::Bytes input) {
  proto::ByteReader reader(input);
  const std::uint32_t function = reader.le32();
  if (!reader.ok()) return std::unexpected(Status::BadParameter);
  const auto arity = arity_of(function);
  if (!arity) return std::unexpected(Status::PpiFunctionUnsupported);
  const std::size_t arguments = reader.remaining() / 4;
  if (reader.remaining() % 4 != 0 || arguments < arity->least || arguments > arity->most) {
    return std::unexpected(Status::BadParameter);
  }
  PresenceRequest request{.function = static_cast<PresenceFunction>(function)};
  if (arguments > 0) request.operation = reader.le32();
  if (arguments > 1) request.parameter = reader.le32();
  return request;
}

proto::Buffer presence_integers(std::initializer_list<std::uint32_t> values) {
  proto::Buffer out;
  proto::ByteWriter writer(out);
  for (const std::uint32_t value : values) writer.le32(value);
  return out;
}

}  // namespace tbs::firmware
