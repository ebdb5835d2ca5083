#include "daemon/firmware/presence.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "daemon/firmware/presence_text.h"
#include "daemon/firmware/small_file.h"

namespace tbs::firmware {
namespace {

using proto::Status;
using Result = std::expected<proto::Buffer, ReadFailure>;

// What functions 3 and 5 return when the firmware failed; what 2 and 7 return.
constexpr std::uint32_t kFunctionFailed = 1;
constexpr std::uint32_t kSubmitNotSupported = 1;
constexpr std::uint32_t kSubmitFailed = 2;

constexpr std::uint32_t kFirstVendorOperation = 128;

std::unexpected<ReadFailure> failed(const std::string& path, int error) {
  if (error == ENOENT) return std::unexpected(ReadFailure{Status::PpiFunctionUnsupported, {}});
  return std::unexpected(ReadFailure{
      Status::InternalError,
      "use " + path + ": " + std::strerror(error) +
          (error == EACCES || error == EPERM ? "; let the daemon's group use it (the udev "
                                               "rules of tbs do)"
                                             : "")});
}

using Parser = std::optional<proto::Buffer> (*)(std::string_view text);

Result read_function(const std::string& path, Parser parse) {
  const auto text = read_small_file(path);
  // The kernel's word for "the firmware says that it failed".
  if (!text && text.error() == EFAULT) return presence_integers({kFunctionFailed, 0, 0});
  if (!text) return failed(path, text.error());
  auto output = parse(*text);
  if (!output) return failed(path, EPROTO);
  return *std::move(output);
}

std::optional<proto::Buffer> version_or_nothing(std::string_view text) {
  auto version = presence_version(text);
  if (version.empty()) return std::nullopt;
  return version;
}

Result confirmation(const std::string& folder, std::uint32_t operation) {
  const std::string path =
      folder + (operation < kFirstVendorOperation ? "/tcg_operations" : "/vs_operations");
  const auto text = read_small_file(path);
  if (!text) return failed(path, text.error());
  return presence_integers({presence_confirmation(*text, operation)});
}

Result submit(const std::string& folder, const PresenceRequest& request) {
  const std::string path = folder + "/request";
  std::string text = std::to_string(request.operation);
  if (request.parameter) text += " " + std::to_string(*request.parameter);
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return failed(path, errno);
  const bool written = ::write(file, text.data(), text.size()) >= 0;
  const int error = errno;
  ::close(file);
  if (written) return presence_integers({0});
  if (error == EPERM) return presence_integers({kSubmitNotSupported});
  if (error == EFAULT) return presence_integers({kSubmitFailed});
  return failed(path, error);
}

}  // namespace

Result call_presence(const std::string& folder, const PresenceRequest& request) {
  std::error_code error;
  if (folder.empty() || !std::filesystem::is_directory(folder, error)) {
    return std::unexpected(ReadFailure{Status::PpiNotSupported, {}});
  }
  switch (request.function) {
    case PresenceFunction::Version:
      return read_function(folder + "/version", version_or_nothing);
    case PresenceFunction::Pending:
      return read_function(folder + "/request", presence_pending);
    case PresenceFunction::Transition:
      return read_function(folder + "/transition_action", presence_transition);
    case PresenceFunction::Response:
      return read_function(folder + "/response", presence_response);
    case PresenceFunction::Confirmation:
      return confirmation(folder, request.operation);
    case PresenceFunction::Submit:
    case PresenceFunction::SubmitWithParameter:
      return submit(folder, request);
  }
  return std::unexpected(ReadFailure{Status::PpiFunctionUnsupported, {}});
}

}  // namespace tbs::firmware
