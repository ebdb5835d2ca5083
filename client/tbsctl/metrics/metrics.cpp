#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "client/socket_path.h"
#include "client/socket_stream.h"
#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/metrics/commands.h"
#include "client/tbsctl/metrics/page_answer.h"
#include "client/tbsctl/metrics/text_file.h"

namespace tbs::ctl {
namespace {

constexpr const char* kDefaultMetricsSocket = "/run/tbs/metrics.sock";
// tbsd itself gives a reader this long.
constexpr std::chrono::seconds kMetricsPatience{5};
constexpr std::string_view kMetricsRequest =
    "GET /metrics HTTP/1.1\r\nHost: tbsd\r\nAccept: text/plain\r\nConnection: close\r\n\r\n";

struct MetricsOptions {
  std::string from;
  std::string text_file;
};

Failure no_metrics(const std::string& path, const client::StreamError& error) {
  std::string message = "cannot read metrics at " + path + ": " + client::describe(error);
  if (error.fault == client::StreamFault::NotRunning) {
    message +=
        "; they are off until `systemctl enable tbsd-metrics.socket && systemctl restart tbsd`, or "
        "metrics-socket in tbsd.conf(5)";
  } else if (error.fault == client::StreamFault::Denied) {
    message += "; root may read them, and a group if an administrator has named one";
  }
  return {.exit = Exit::Unreachable, .message = std::move(message)};
}

std::expected<std::string, Failure> ask_for_page(const std::string& path) {
  const client::Deadline deadline = client::Clock::now() + kMetricsPatience;
  auto stream = client::SocketStream::connect(path, deadline);
  if (!stream) return std::unexpected(no_metrics(path, stream.error()));
  const proto::Buffer request(kMetricsRequest.begin(), kMetricsRequest.end());
  if (const auto sent = stream->send_all(request, deadline); !sent) {
    return std::unexpected(no_metrics(path, sent.error()));
  }
  std::string answer;
  std::array<std::uint8_t, 16384> room{};
  while (answer.size() <= kMostAnswer) {
    if (client::is_over(deadline)) {
      return std::unexpected(no_metrics(path, {client::StreamFault::TimedOut}));
    }
    const auto count = stream->receive(room, deadline);
    if (!count && count.error().fault == client::StreamFault::Closed) break;
    if (!count) return std::unexpected(no_metrics(path, count.error()));
    answer.append(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*count));
  }
  auto page = page_in(answer);
  if (!page) {
    return std::unexpected(Failure{
        .exit = Exit::Failed, .message = "cannot read metrics at " + path + ": " + page.error()});
  }
  return *std::move(page);
}

Outcome run_metrics(const Environment& environment, const MetricsOptions& options) {
  const std::string path = options.from.empty()
                               ? metrics_socket_beside(client::chosen_socket(environment.socket))
                               : options.from;
  const auto page = ask_for_page(path);
  if (!page) return std::unexpected(page.error());
  if (!options.text_file.empty()) return replace_file(options.text_file, *page);
  environment.console.out << *page;
  return {};
}

}  // namespace

std::string metrics_socket_beside(const std::string& socket) {
  if (socket.empty()) return kDefaultMetricsSocket;
  const std::size_t slash = socket.rfind('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  std::string name = socket.substr(start);
  for (const std::string_view end : {".sock", ".admin"}) {
    if (name.ends_with(end)) name.resize(name.size() - end.size());
  }
  const bool only = name == "tbsd" || name == "admin";
  return socket.substr(0, start) + (only ? "metrics.sock" : name + ".metrics.sock");
}

Subcommand metrics_subcommand() {
  const auto options = std::make_shared<MetricsOptions>();
  return {.name = "metrics",
          .summary = "Print the daemon's metrics, or write them into a file for node_exporter",
          .help =
              "In Prometheus' text format; docs/metrics.md says what each of them is. The file is "
              "replaced in one step,\n"
              "and its name must end with .prom for node_exporter.\n\nExample:\n"
              "  tbsctl metrics --textfile /var/lib/prometheus/node-exporter/tbs.prom",
          .options = {{.name = "--textfile",
                       .value = "PATH",
                       .about = "Replace this file instead of printing them",
                       .read = read_text(field(options, &MetricsOptions::text_file)),
                       .offer = {.kind = Offer::Kind::Files}},
                      {.name = "--from",
                       .value = "PATH",
                       .about = "The metrics' socket (default: metrics.sock beside the daemon's)",
                       .read = read_text(field(options, &MetricsOptions::from)),
                       .offer = {.kind = Offer::Kind::Files}}},
          .needs = always(kNoDaemon),
          .run = [options](
                     const Environment& environment) { return run_metrics(environment, *options); },
          .json = JsonOutput::None};
}

}  // namespace tbs::ctl
