#include "client/tbsctl/doctor/socket_check.h"

#include <cstring>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::uint32_t kEverybodysMode = 0666;
constexpr std::uint32_t kWriteByOthers = 0002;

class SocketFindings {
 public:
  void add(Severity severity, std::string what, std::string why = {}, std::string remedy = {}) {
    findings_.push_back({severity, "socket", std::move(what), std::move(why), std::move(remedy)});
  }
  Findings take() { return std::move(findings_); }

 private:
  Findings findings_;
};

void check_absence(SocketFindings& findings, const SocketFacts& facts) {
  if (facts.error != 0) {
    return findings.add(Severity::Error,
                        facts.path + " cannot be looked at: " + std::strerror(facts.error),
                        "no program of this user reaches tbsd",
                        "let this user into its folder (mode 0755), or name another socket");
  }
  if (!facts.chosen_by.empty()) {
    return findings.add(
        Severity::Error,
        "there is no socket " + facts.path + ", which " + facts.chosen_by + " names",
        "programs with this setting find no TPM",
        "take the setting away, or start the tbsd that is meant");
  }
  findings.add(Severity::Error, "there is no socket " + facts.path,
               "programs find no tbsd, and so no TPM",
               "systemctl enable --now tbsd.socket tbsd-admin.socket; in a container, mount the "
               "host's /run/tbs/tbsd.sock there");
}

void check_mode(SocketFindings& findings, const SocketFacts& facts) {
  const std::string is = facts.path + " is " + octal(facts.mode) + " " + facts.owner;
  if (facts.administrators && (facts.mode & kWriteByOthers) != 0) {
    findings.add(Severity::Error, is, "whoever can open it is an administrator of the TPM",
                 "chmod 0600 " + facts.path + ", and SocketMode= of tbsd-admin.socket");
  } else if (!facts.administrators && (facts.mode & kEverybodysMode) != kEverybodysMode &&
             facts.chosen_by.empty()) {
    findings.add(Severity::Warning, is, "users who may not open it have no TPM",
                 "chmod 0666 " + facts.path +
                     ", and SocketMode= of tbsd.socket, unless it is meant "
                     "to be so");
  }
}

void check_conversation(SocketFindings& findings, const SocketFacts& facts,
                        const std::string& own_version) {
  if (facts.nobody_listens) {
    findings.add(Severity::Error, "nobody listens at " + facts.path,
                 "programs that connect are refused",
                 "systemctl restart tbsd.socket; without "
                 "systemd, start tbsd");
  } else if (!facts.unreachable.empty()) {
    findings.add(Severity::Error, facts.unreachable, "programs of this user have no TPM",
                 "see `journalctl -t tbsd`");
  } else if (facts.daemon_version != own_version) {
    findings.add(Severity::Note,
                 "tbsd is version " + printable(facts.daemon_version) + ", tbsctl " + own_version,
                 "after an upgrade the old program goes on until it is restarted",
                 "systemctl restart tbsd.service; its clients stay connected");
  }
}

}  // namespace

Findings check_socket(const SocketFacts& facts, const std::string& own_version) {
  SocketFindings findings;
  if (!facts.exists) {
    check_absence(findings, facts);
    return findings.take();
  }
  if (!facts.is_socket) {
    findings.add(Severity::Error, facts.path + " is no socket", "programs cannot connect to it",
                 "remove it, and start tbsd anew; in a container, mount the file, not a folder");
    return findings.take();
  }
  check_mode(findings, facts);
  check_conversation(findings, facts, own_version);
  Findings all = findings.take();
  if (all.empty()) {
    all.push_back({Severity::Fine,
                   "socket",
                   "tbsd " + printable(facts.daemon_version) + " answers at " + facts.path,
                   {},
                   {}});
  }
  return all;
}

}  // namespace tbs::ctl
