#include "client/tbsctl/log/log_sources.h"

#include <algorithm>

#include "client/tbsctl/log/ima/measurement_list.h"
#include "client/tbsctl/text/input_file.h"

namespace tbs::ctl {
namespace {

constexpr std::size_t kLargestFile = 64U << 20;
constexpr const char* kImaList = "/sys/kernel/security/ima/binary_runtime_measurements";
constexpr const char* kMeasureLog = "/run/log/systemd/tpm2-measure.log";

}  // namespace

std::expected<proto::Buffer, Failure> log_of_file(const std::string& path) {
  const bool standard_input = path == "-";
  auto log =
      standard_input ? read_standard_input(kLargestFile) : read_input_file(path, kLargestFile);
  if (log && log->empty()) {
    return std::unexpected(Failure{
        .exit = Exit::Failed, .message = (standard_input ? "standard input" : path) + " is empty"});
  }
  return log;
}

std::expected<proto::Buffer, Failure> ima_list_of(const std::string& path) {
  return log_of_file(path == "auto" ? kImaList : path);
}

std::expected<proto::Buffer, Failure> measure_log_of(const std::string& path) {
  return log_of_file(path == "auto" ? kMeasureLog : path);
}

LogKind kind_of_log(proto::Bytes bytes) {
  constexpr std::uint8_t kSeparator = 0x1E;  // in front of JSON
  if (!bytes.empty() && (bytes[0] == kSeparator || bytes[0] == '{')) return LogKind::Systemd;
  // The first bytes are enough: a list of files begins with an entry.
  constexpr std::size_t kEnough = 4096;
  const LaterLog list = read_ima_list(bytes.first(std::min(bytes.size(), kEnough)), {});
  return list.records.empty() ? LogKind::Firmware : LogKind::Ima;
}

}  // namespace tbs::ctl
