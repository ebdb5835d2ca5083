#include <fstream>

#include <sys/stat.h>
#include <sys/utsname.h>

#include "client/tbsctl/doctor/kernel_check.h"
#include "client/tbsctl/text/number.h"

namespace tbs::ctl {
namespace {

bool is_there(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

}  // namespace

KernelFacts kernel_facts(const std::string& root) {
  KernelFacts facts;
  utsname names{};
  if (::uname(&names) == 0) facts.release = names.release;
  const std::string chip = root + "/sys/class/tpm/tpm0";
  facts.has_tpm = is_there(chip);
  std::ifstream version(chip + "/tpm_version_major");
  std::string line;
  if (std::getline(version, line)) facts.family = parse_number<std::uint32_t>(line).value_or(0);
  // The attribute came with these sessions, for their users to check the TPM by.
  facts.hmac_sessions = is_there(chip + "/null_name");
  facts.presence = is_there(chip + "/ppi/version");
  struct stat info{};
  if (::stat((chip + "/device/cancel").c_str(), &info) == 0 ||
      ::stat((chip + "/cancel").c_str(), &info) == 0) {
    facts.cancel_mode = info.st_mode & 07777U;
  }
  return facts;
}

}  // namespace tbs::ctl
