#include <iterator>
#include <utility>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/connection/connect.h"
#include "client/tbsctl/doctor/commands.h"
#include "client/tbsctl/doctor/configuration_check.h"
#include "client/tbsctl/doctor/kernel_check.h"
#include "client/tbsctl/doctor/node_check.h"
#include "client/tbsctl/doctor/report.h"
#include "client/tbsctl/doctor/socket_check.h"
#include "client/tbsctl/doctor/tcti_check.h"
#include "client/tbsctl/doctor/tpm_facts.h"
#include "client/tbsctl/doctor/unit_check.h"
#include "version.h"

namespace tbs::ctl {
namespace {

struct DoctorOptions {
  std::string configuration;  // empty: the usual one
};

void append(Findings& all, Findings some) {
  std::ranges::move(some, std::back_inserter(all));
}

Findings examine(const std::string& socket, const DoctorOptions& options) {
  const auto connect = [&socket](client::Deadline deadline) {
    return connect_to_daemon(socket, deadline);
  };
  const DaemonFacts daemon = daemon_facts(connect);
  const HealthFacts& health = daemon.tpm.health;
  SocketFacts at = socket_facts(socket);
  at.unreachable = health.unreachable;
  std::optional<std::string> device;
  if (health.status) {
    at.daemon_version = health.status->version;
    device = health.status->device;
  }
  NodeFacts nodes = node_facts({}, device);
  nodes.device_works = health.status && health.status->device_state == proto::DeviceState::Ready;
  Findings all;
  append(all, check_socket(at, kVersion));
  append(all, check_units(unit_facts()));
  append(all, check_configuration(configuration_facts(options.configuration)));
  append(all, check_nodes(nodes));
  append(all, check_holders(nodes));
  append(all, check_kernel(kernel_facts({})));
  append(all, check_tpm(daemon.tpm));
  append(all, check_lockout(daemon.tpm));
  append(all, check_measurements(daemon.measurements));
  append(all, check_clients(daemon.clients));
  append(all, check_leftovers(daemon.clients));
  append(all, check_tcti(tcti_facts()));
  return all;
}

}  // namespace

Subcommand doctor_subcommand() {
  const auto options = std::make_shared<DoctorOptions>();
  return {
      .name = "doctor",
      .summary = "Look for what is wrong with tbs on this machine, and say what to do",
      .help =
          "Each finding says what was found, why it matters, and what to do about it: of the "
          "socket, systemd's\nunits, the configuration, the TPM's nodes and who holds them, the "
          "kernel, the TPM, lockouts, PCRs and\nevent log, clients, sessions left behind, and the "
          "way that programs built on tpm2-tss will take.\nNothing is changed. It works without "
          "tbsd and without a TPM; root sees most. The exit code is 1 when\nthere are errors or "
          "warnings.\n\nExample:\n  sudo tbsctl doctor",
      .options = {{.name = "--config",
                   .value = "PATH",
                   .about = "The configuration of tbsd, /etc/tbs/tbsd.conf without this",
                   .read = read_text(field(options, &DoctorOptions::configuration)),
                   .offer = {Offer::Kind::Files}}},
      .needs = always(kNoDaemon),
      .run = [options](const Environment& environment) -> Outcome {
        const Findings findings = examine(environment.socket, *options);
        print_findings(environment.console, findings);
        return verdict_of(findings);
      }};
}

}  // namespace tbs::ctl
