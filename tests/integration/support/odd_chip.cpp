#include "tests/integration/support/odd_chip.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::test::odd {
namespace {

using proto::Buffer;
using proto::Bytes;
using Ask = LyingTpm::Ask;
using Clock = std::chrono::steady_clock;

bool concerns(const Codes& codes, const Buffer& command) {
  const std::uint32_t code = proto::read_tpm_header(command)->code;
  return codes.empty() || std::ranges::find(codes, code) != codes.end();
}

Buffer bare(std::uint32_t code) {
  return proto::tpm_error_response(tbs::tpm::kTagNoSessions, code);
}

std::uint32_t word(const Buffer& message) {
  return proto::ByteReader(Bytes(message).subspan(tbs::tpm::kHeaderSize)).be32();
}

// The response with other values of these properties, if it has them.
Buffer with_properties(const Buffer& response, const std::vector<tbs::tpm::Property>& properties) {
  if (tpm::code(response) != tpm::kSuccess) return response;
  auto list = tbs::tpm::parse_properties(Bytes(response).subspan(tbs::tpm::kHeaderSize));
  if (!list) return response;
  for (tbs::tpm::Property& told : list->items) {
    const auto other = std::ranges::find(properties, told.name, &tbs::tpm::Property::name);
    if (other != properties.end()) told.value = other->value;
  }
  return tbs::tpm::properties_response(*list);
}

}  // namespace

LyingTpm::Lie answers(Codes codes, std::uint32_t response_code) {
  return [codes = std::move(codes), response_code](const Buffer& command, const Ask& ask) {
    return concerns(codes, command) ? bare(response_code) : ask(command);
  };
}

LyingTpm::Lie answers_all_but(Codes codes, std::uint32_t response_code) {
  return [codes = std::move(codes), response_code](const Buffer& command, const Ask& ask) {
    return concerns(codes, command) ? ask(command) : bare(response_code);
  };
}

LyingTpm::Lie answers_every_second(Codes codes, std::uint32_t response_code) {
  return [codes = std::move(codes), response_code, odd = false](const Buffer& command,
                                                                const Ask& ask) mutable {
    if (!concerns(codes, command)) return ask(command);
    odd = !odd;
    return odd ? bare(response_code) : ask(command);
  };
}

LyingTpm::Lie answers_for(std::chrono::milliseconds time, Codes codes,
                          std::uint32_t response_code) {
  return [time, codes = std::move(codes), response_code, end = std::optional<Clock::time_point>()](
             const Buffer& command, const Ask& ask) mutable {
    if (!concerns(codes, command)) return ask(command);
    if (!end) end = Clock::now() + time;
    return Clock::now() < *end ? bare(response_code) : ask(command);
  };
}

LyingTpm::Lie spoils(Codes codes, Buffer response) {
  return [codes = std::move(codes), response = std::move(response)](const Buffer& command,
                                                                    const Ask& ask) {
    Buffer right = ask(command);
    return concerns(codes, command) ? response : right;
  };
}

LyingTpm::Lie tells(std::vector<tbs::tpm::Property> properties) {
  return [properties = std::move(properties)](const Buffer& command, const Ask& ask) {
    const Buffer response = ask(command);
    if (!concerns({tbs::tpm::cc::kGetCapability}, command)) return response;
    return with_properties(response, properties);
  };
}

LyingTpm::Lie with_buffers(std::uint32_t size) {
  return [size, told = tells({{tbs::tpm::pt::kMaxCommandSize, size},
                              {tbs::tpm::pt::kMaxResponseSize, size}})](const Buffer& command,
                                                                        const Ask& ask) {
    return command.size() > size ? bare(tbs::tpm::rc::kCommandSize) : told(command, ask);
  };
}

LyingTpm::Lie with_sessions(std::uint32_t count) {
  return [count, sessions = Codes(), told = tells({{tbs::tpm::pt::kActiveSessionsMax, count}})](
             const Buffer& command, const Ask& ask) mutable {
    const bool starts = concerns({tbs::tpm::cc::kStartAuthSession}, command);
    if (starts && sessions.size() == count) return bare(tbs::tpm::rc::kSessionHandles);
    Buffer response = told(command, ask);
    if (tpm::code(response) != tpm::kSuccess) return response;
    if (starts) sessions.push_back(word(response));
    if (concerns({tbs::tpm::cc::kFlushContext}, command)) std::erase(sessions, word(command));
    return response;
  };
}

}  // namespace tbs::test::odd
