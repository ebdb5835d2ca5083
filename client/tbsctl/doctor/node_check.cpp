#include "client/tbsctl/doctor/node_check.h"

#include <algorithm>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::uint32_t kAnythingByOthers = 0006;
constexpr std::string_view kDaemonName = "tbsd";

bool is_managed(const std::string& path) {
  return path.starts_with("/dev/tpmrm");
}

std::string with_pid(const NodeHolder& holder) {
  return printable(holder.name) + " (pid " + holder.pid + ")";
}

std::string mode_text(const Node& node) {
  return node.path + " is " + octal(node.mode) + " " + node.owner;
}

Finding node_finding(Severity severity, std::string what, std::string why = {},
                     std::string remedy = {}) {
  return {severity, "nodes", std::move(what), std::move(why), std::move(remedy)};
}

Finding holder_finding(Severity severity, std::string what, std::string why = {},
                       std::string remedy = {}) {
  return {severity, "holders", std::move(what), std::move(why), std::move(remedy)};
}

bool uses_a_node(const NodeFacts& facts) {
  return !facts.device || facts.device->starts_with("/dev/") || *facts.device == "auto";
}

Finding no_nodes(const NodeFacts& facts) {
  if (facts.device && !uses_a_node(facts)) {
    return node_finding(Severity::Fine, "there is none, and tbsd needs none: its TPM is " +
                                            printable(*facts.device));
  }
  return node_finding(
      facts.device ? Severity::Error : Severity::Note, "there is no /dev/tpm0",
      "the kernel has found no TPM, or this is a container",
      "in the firmware's setup, switch the TPM on; dmesg | grep -i tpm says what the kernel found");
}

void check_holder(Findings& findings, const NodeHolder& holder) {
  if (is_managed(holder.path)) {
    findings.push_back(holder_finding(
        Severity::Note, with_pid(holder) + " has " + holder.path + " open",
        "it goes past tbsd: no priority, no quota, and while it works the TPM's slots are shared",
        "let it use tbs: see the check tcti"));
  } else if (holder.name != kDaemonName) {
    findings.push_back(holder_finding(Severity::Error, with_pid(holder) + " holds " + holder.path,
                                      "only one can have it: tbsd gets EBUSY as long as it does",
                                      "stop it, and have it use tbs instead; for tpm2-abrmd: "
                                      "systemctl disable --now tpm2-abrmd"));
  }
}

}  // namespace

Findings check_nodes(const NodeFacts& facts) {
  if (facts.nodes.empty()) return {no_nodes(facts)};
  Findings findings;
  for (const Node& node : facts.nodes) {
    if ((node.mode & kAnythingByOthers) == 0) continue;
    if (is_managed(node.path)) {
      findings.push_back(node_finding(
          Severity::Warning, mode_text(node), "every user can go past tbsd and its rules",
          "chmod 0660 " + node.path + ", and a udev rule that says so"));
    } else {
      findings.push_back(node_finding(
          Severity::Error, mode_text(node),
          "every user can take the whole TPM, clear it, and lock tbsd out",
          "chmod 0660 " + node.path + "; the udev rule 70-tbs.rules does that at each start"));
    }
  }
  for (const Node& node : facts.nodes) {
    if (facts.device_works || is_managed(node.path) || !uses_a_node(facts) ||
        node.owner.ends_with(":tbs"))
      continue;
    findings.push_back(
        node_finding(Severity::Warning, mode_text(node) + ", not of the group tbs",
                     "tbsd runs as the user tbs, and may not open it",
                     "install the udev rule 70-tbs.rules, then "
                     "udevadm control --reload && udevadm trigger --subsystem-match=tpm"));
  }
  if (findings.empty()) {
    std::string all;
    for (const Node& node : facts.nodes) all += (all.empty() ? "" : ", ") + mode_text(node);
    findings.push_back(node_finding(Severity::Fine, all));
  }
  return findings;
}

Findings check_holders(const NodeFacts& facts) {
  Findings findings;
  for (const NodeHolder& holder : facts.holders) check_holder(findings, holder);
  if (!facts.sees_all) {
    std::string likely;
    for (const NodeHolder& suspect : facts.suspects) {
      likely += (likely.empty() ? "; these run and may: " : ", ") + with_pid(suspect);
    }
    findings.push_back(holder_finding(Severity::Unseen,
                                      "who has the TPM's nodes open can be seen in part" + likely,
                                      "other users' processes are not shown", "run this as root"));
  } else if (findings.empty()) {
    const bool held = !facts.holders.empty();
    findings.push_back(holder_finding(
        Severity::Fine, held ? "tbsd alone has the TPM open" : "nobody has the TPM's nodes open"));
  }
  return findings;
}

}  // namespace tbs::ctl
