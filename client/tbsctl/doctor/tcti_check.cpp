#include "client/tbsctl/doctor/tcti_check.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::string_view kTbsModule = "libtss2-tcti-tbs.so";

Finding tcti_finding(Severity severity, std::string what, std::string why = {},
                     std::string remedy = {}) {
  return {severity, "tcti", std::move(what), std::move(why), std::move(remedy)};
}

// The file behind a module's name; empty when it is not installed.
std::string target_in(const TctiFacts& facts, std::string_view name) {
  const auto found = std::ranges::find(facts.modules, name, &TctiModule::name);
  return found == facts.modules.end() ? std::string() : found->target;
}

bool is_tbs(std::string_view target) {
  return target.starts_with(kTbsModule);
}

std::string set_it(const TctiConsumer& consumer) {
  if (consumer.name == "FAPI") return "write \"tcti\": \"tbs\" in " + printable(consumer.variable);
  return "export " + consumer.variable +
         "=tbs, or make tbs the default: the link "
         "libtss2-tcti-default.so to libtss2-tcti-tbs.so.0";
}

// Through the kernel's nodes.
Finding by_node(const TctiConsumer& consumer, std::string_view node, const std::string& from) {
  if (node.starts_with("/dev/tpmrm")) {
    return tcti_finding(Severity::Warning, consumer.name + " uses " + std::string(node) + from,
                        "it goes past tbsd: no priority, no cancel, no quota, and it fails with "
                        "0x902 while the TPM's slots are full",
                        set_it(consumer));
  }
  return tcti_finding(Severity::Error, consumer.name + " uses " + std::string(node) + from,
                      "tbsd has that node: the program gets EBUSY, or keeps tbsd out",
                      set_it(consumer));
}

bool asks_loader(const TctiConsumer& consumer) {
  return !consumer.value && consumer.fallback == TctiFallback::Loader;
}

// All that are told nothing get the same, and one remedy: they are one consumer.
TctiConsumer all_by_loader(const TctiFacts& facts) {
  TctiConsumer all{.name = {}, .variable = {}, .value = {}};
  for (const TctiConsumer& consumer : facts.consumers) {
    if (!asks_loader(consumer)) continue;
    all.name += (all.name.empty() ? "" : ", ") + consumer.name;
    if (consumer.name == "FAPI") continue;
    all.variable += (all.variable.empty() ? "" : "=tbs ") + consumer.variable;
  }
  return all;
}

Finding by_loader(const TctiFacts& facts, const TctiConsumer& consumer) {
  const std::string who = "by default (" + consumer.name + ") ";
  const std::string default_target = target_in(facts, "libtss2-tcti-default.so");
  const std::string tabrmd_target = target_in(facts, "libtss2-tcti-tabrmd.so.0");
  if (is_tbs(default_target)) {
    return tcti_finding(Severity::Fine, who + "programs use tbs, the default of tpm2-tss");
  }
  if (!default_target.empty()) {
    return tcti_finding(
        Severity::Warning,
        who + "programs use " + printable(default_target) + ", the default of tpm2-tss",
        "it goes past tbsd", set_it(consumer));
  }
  if (is_tbs(tabrmd_target)) {
    return tcti_finding(Severity::Fine, who + "programs use tbs in place of tpm2-abrmd");
  }
  if (!tabrmd_target.empty()) {
    return tcti_finding(
        Severity::Warning, who + "programs ask tpm2-abrmd first, and then the kernel",
        "tpm2-abrmd and tbsd cannot have the TPM both; without tpm2-abrmd each start "
        "of a program waits for D-Bus to fail",
        set_it(consumer));
  }
  const TctiConsumer named{
      .name = who + "each program", .variable = consumer.variable, .value = {}};
  const std::string from = ", which tpm2-tss' loader finds first";
  if (facts.opens_tpmrm0) return by_node(named, "/dev/tpmrm0", from);
  if (facts.opens_tpm0) return by_node(named, "/dev/tpm0", from);
  return tcti_finding(Severity::Warning, who + "programs find no TPM that this user may open",
                      "nothing is set, and there is no default", set_it(consumer));
}

Finding by_value(const TctiFacts& facts, const TctiConsumer& consumer, std::string_view value) {
  const std::string from = " (" + printable(consumer.variable) + ")";
  const std::string_view name = tcti_name(value);
  const std::string_view rest = value.substr(std::min(name.size() + 1, value.size()));
  std::string target;
  for (const std::string& file : tcti_files(name)) {
    if (target.empty()) target = target_in(facts, file);
  }
  if (target.empty()) {
    return tcti_finding(Severity::Error,
                        consumer.name + " is to use \"" + printable(value) + "\"" + from +
                            ", and no such module is installed",
                        "the program ends with an error of tpm2-tss' loader",
                        name == "tbs" ? "install libtss2-tcti-tbs0" : set_it(consumer));
  }
  if (is_tbs(target)) {
    return tcti_finding(Severity::Fine, consumer.name + " uses " + printable(value) + from);
  }
  if (target.starts_with("libtss2-tcti-device.so")) {
    return by_node(consumer, rest.empty() ? "/dev/tpm0" : printable(rest), from);
  }
  return tcti_finding(Severity::Note, consumer.name + " uses " + printable(value) + from,
                      "that is not tbs; right where another TPM is meant", set_it(consumer));
}

}  // namespace

std::string_view tcti_name(std::string_view configuration) {
  return configuration.substr(0, configuration.find(':'));
}

std::vector<std::string> tcti_files(std::string_view name) {
  const std::string start = "libtss2-tcti-" + std::string(name) + ".so";
  return {std::string(name), start + ".0", start};
}

std::expected<std::optional<std::string>, std::string> tcti_of_fapi(const std::string& text) {
  const auto document = nlohmann::json::parse(text, nullptr, false, true);
  if (document.is_discarded() || !document.is_object()) {
    return std::unexpected("it is no JSON object");
  }
  const auto tcti = document.find("tcti");
  if (tcti == document.end()) return std::nullopt;
  if (!tcti->is_string()) return std::unexpected("its \"tcti\" is no text");
  const auto value = tcti->get<std::string>();
  return value.empty() ? std::nullopt : std::optional(value);
}

Findings check_tcti(const TctiFacts& facts) {
  Findings findings;
  if (target_in(facts, "libtss2-tcti-tbs.so.0").empty()) {
    findings.push_back(
        tcti_finding(Severity::Warning, "the module libtss2-tcti-tbs.so.0 is not installed",
                     "no program built on tpm2-tss can use tbs", "install libtss2-tcti-tbs0"));
  }
  const TctiConsumer unset = all_by_loader(facts);
  if (!unset.name.empty()) findings.push_back(by_loader(facts, unset));
  for (const TctiConsumer& consumer : facts.consumers) {
    if (consumer.value) {
      // systemd takes a path as well.
      findings.push_back(
          consumer.value->starts_with("/dev/")
              ? by_node(consumer, printable(*consumer.value), " (" + consumer.variable + ")")
              : by_value(facts, consumer, *consumer.value));
    } else if (consumer.fallback == TctiFallback::Kernel) {
      findings.push_back(tcti_finding(
          Severity::Note,
          consumer.name + " uses /dev/tpmrm0, since " + consumer.variable + " is not set here",
          "it goes past tbsd; right for what runs before tbsd does",
          "export " + consumer.variable + "=tbs where it is to use tbs"));
    }
  }
  if (!facts.fapi_problem.empty()) {
    findings.push_back(tcti_finding(Severity::Error,
                                    "the configuration of FAPI, " + printable(facts.fapi_path) +
                                        ", cannot be used: " + printable(facts.fapi_problem),
                                    "every FAPI program fails", "mend it, see fapi-config(5)"));
  }
  return findings;
}

}  // namespace tbs::ctl
