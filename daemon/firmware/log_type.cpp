#include "daemon/firmware/log_type.h"

namespace tbs::firmware {
namespace {

using proto::Status;

enum LogType : std::uint32_t {
  kSrtmCurrent = 0,
  kSrtmBoot = 2,
  kLastType = 5,
};

}  // namespace

Status status_of_log_type(std::uint32_t log_type) {
  if (log_type > kLastType) return Status::BadParameter;
  return log_type == kSrtmCurrent || log_type == kSrtmBoot ? Status::Success : Status::NoEventLog;
}

}  // namespace tbs::firmware
