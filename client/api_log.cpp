// Tbsi_Get_TCG_Log, Tbsi_Get_TCG_Log_Ex, Tbsi_Get_TCG_Logs.

#include "client/boundary.h"
#include "client/contexts.h"
#include "client/observer_connection.h"
#include "client/read_event_log.h"
#include "client/socket_path.h"
#include "proto/byte_writer.h"

using namespace tbs::client;
namespace proto = tbs::proto;
using proto::Status;

namespace {

// How Tbsi_Get_TCG_Logs frames several logs: the length before each, and this at the end.
constexpr std::size_t kLengthSize = 4;
constexpr std::uint32_t kEndOfLogs = 0xFFFFFFFF;

Status check_output(PCBYTE output, PCUINT32 size) {
  if (size == nullptr) return Status::InvalidOutputPointer;
  return output == nullptr && *size != 0 ? Status::InvalidOutputPointer : Status::Success;
}

// Says how much there is, or was needed. Asking for the size, with no memory at all, is a success.
Status report(Status status, std::size_t size, PCBYTE output, PUINT32 reported) {
  if (status != Status::Success && status != Status::InsufficientBuffer) return status;
  *reported = static_cast<UINT32>(size);
  return output == nullptr ? Status::Success : status;
}

// However many parts there are, they take no longer than one answer may.
Deadline log_deadline() {
  return Clock::now() + kAnswerPatience;
}

Status log_of_context(Context& context, std::span<std::uint8_t> room, std::size_t& size) {
  const Deadline deadline = log_deadline();
  proto::Buffer payload;
  const auto next = [&](std::uint64_t offset) -> std::expected<proto::LogPart, Status> {
    auto answer = context.ask(proto::ReadLog{.offset = offset}, deadline);
    if (!answer) return std::unexpected(answer.error());
    payload = *std::move(answer);
    const auto part = proto::decode<proto::LogPart>(payload);
    if (!part) return std::unexpected(Status::InternalError);
    return *part;
  };
  return receive_log(next, room, size);
}

Status log_of_type(std::uint32_t type, std::span<std::uint8_t> room, std::size_t& size) {
  auto observer = ObserverConnection::begin(socket_path());
  if (!observer) return observer.error();
  const Deadline deadline = log_deadline();
  const auto next = [&](std::uint64_t offset) {
    return observer->ask(proto::ReadLog{.log_type = type, .offset = offset}, deadline);
  };
  return receive_log(next, room, size);
}

// The one log there is, between its length and the end mark.
Status framed_log(std::span<std::uint8_t> room, std::size_t& size) {
  constexpr std::size_t kFraming = 2 * kLengthSize;
  const bool framing_fits = room.size() >= kFraming;
  const auto inner =
      framing_fits ? room.subspan(kLengthSize, room.size() - kFraming) : std::span<std::uint8_t>();
  const Status status = log_of_type(TBS_TCGLOG_SRTM_CURRENT, inner, size);
  if (status != Status::Success && status != Status::InsufficientBuffer) return status;
  const std::size_t length = size;
  size += kFraming;
  if (status != Status::Success || !framing_fits) return Status::InsufficientBuffer;
  proto::Buffer marks;
  proto::ByteWriter writer(marks);
  writer.le32(static_cast<std::uint32_t>(length));
  writer.le32(kEndOfLogs);
  std::ranges::copy(std::span(marks).first(kLengthSize), room.begin());
  std::ranges::copy(std::span(marks).last(kLengthSize), room.subspan(kLengthSize + length).begin());
  return Status::Success;
}

}  // namespace

TBS_RESULT Tbsi_Get_TCG_Log(TBS_HCONTEXT hContext, PBYTE pOutputBuf, PUINT32 pOutputBufLen) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    const Status fault = check_output(pOutputBuf, pOutputBufLen);
    if (fault != Status::Success) return fault;
    std::size_t size = 0;
    const Status status = log_of_context(*context, {pOutputBuf, *pOutputBufLen}, size);
    return report(status, size, pOutputBuf, pOutputBufLen);
  });
}

TBS_RESULT Tbsi_Get_TCG_Log_Ex(UINT32 logType, PBYTE pbOutput, PUINT32 pcbOutput) {
  return at_boundary([&] {
    if (logType > TBS_TCGLOG_DRTM_RESUME) return Status::BadParameter;
    const Status fault = check_output(pbOutput, pcbOutput);
    if (fault != Status::Success) return fault;
    std::size_t size = 0;
    const Status status = log_of_type(logType, {pbOutput, *pcbOutput}, size);
    return report(status, size, pbOutput, pcbOutput);
  });
}

TBS_RESULT Tbsi_Get_TCG_Logs(UINT32 firstLog, PUINT32 pNextLog, PBYTE pbOutput, UINT32 cbOutput,
                             PUINT32 pcbResult, UINT32 dwFlags) {
  return at_boundary([&] {
    if ((dwFlags & ~TBS_GET_ALL_LOGS_FLAG) != 0) return Status::BadParameter;
    if (pcbResult == nullptr) return Status::InvalidOutputPointer;
    const Status fault = check_output(pbOutput, &cbOutput);
    if (fault != Status::Success) return fault;
    if (firstLog != 0) return Status::NoEventLog;
    std::size_t size = 0;
    const Status status = (dwFlags & TBS_GET_ALL_LOGS_FLAG) != 0
                              ? framed_log({pbOutput, cbOutput}, size)
                              : log_of_type(TBS_TCGLOG_SRTM_CURRENT, {pbOutput, cbOutput}, size);
    const Status reported = report(status, size, pbOutput, pcbResult);
    if (reported == Status::Success && pNextLog != nullptr) *pNextLog = 1;
    return reported;
  });
}
