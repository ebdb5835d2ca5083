#include "client/tbsctl/top/top_text.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/tpm/command_name.h"

namespace tbs::ctl {
namespace {

using proto::TpmWork;

std::string with_count(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

// One digit behind the point, whatever the locale.
std::string with_tenth(double number) {
  const auto rounded = static_cast<std::uint64_t>(std::llround(std::clamp(number, 0.0, 1e12) * 10));
  return std::to_string(rounded / 10) + "." + std::to_string(rounded % 10);
}

std::string command_for(const proto::ActivityList& tpm) {
  const std::string name = tpm.command == 0 ? "" : command_name(tpm.command) + " ";
  return name + "for " + duration(tpm.work_us);
}

std::string whose_text(const TopSample& sample, UserNames& users) {
  const TopContext* const context = find_context(sample, sample.tpm.context);
  const std::string number = "context " + std::to_string(sample.tpm.context);
  if (context == nullptr) return number + ", which has closed";
  return number + " (" + users.of(context->entry.uid) + ", " + printable(context->entry.program) +
         ")";
}

std::string occupancy(const std::string& what, std::uint32_t held, std::uint32_t loaded,
                      std::uint32_t slots) {
  return what + ": " + std::to_string(held) + ", on the TPM " + std::to_string(loaded) + " of " +
         std::to_string(slots);
}

std::string rates_line(const TopSample& sample, const TopSample* before) {
  const auto time =
      before == nullptr ? 0.0 : std::chrono::duration<double>(sample.time - before->time).count();
  if (time <= 0) return "TPM time: not known before the second look";
  double worked = 0;
  for (const TopContext& context : sample.contexts) {
    const TopContext* const earlier = find_context(*before, context.entry.context);
    const std::uint64_t from = earlier == nullptr ? 0 : earlier->activity.tpm_us;
    if (context.activity.tpm_us > from) {
      worked += static_cast<double>(context.activity.tpm_us - from) / 1e6;
    }
  }
  const auto answered = static_cast<double>(
      sample.status.commands - std::min(sample.status.commands, before->status.commands));
  return "TPM time: " + percent_text(std::min(worked / time, 1.0)) + " for these contexts, " +
         with_tenth(answered / time) + " commands/s, in the last " +
         duration(static_cast<std::uint64_t>(time * 1e6));
}

}  // namespace

std::string percent_text(const std::optional<double>& share) {
  return share ? with_tenth(*share * 100) + " %" : "-";
}

std::string rate_text(const std::optional<double>& rate) {
  return rate ? with_tenth(*rate) : "-";
}

std::string top_work(const TopSample& sample, UserNames& users) {
  const proto::ActivityList& tpm = sample.tpm;
  switch (tpm.work) {
    case TpmWork::Command:
      return command_for(tpm) + ", " + whose_text(sample, users);
    case TpmWork::Own:
      return command_for(tpm) + ", tbsd's own";
    case TpmWork::Starting:
      return "being started " + command_for(tpm);
    case TpmWork::Ending:
      return "tbsd stops";
    case TpmWork::Asleep:
      return "nothing: the machine sleeps, or is about to";
    case TpmWork::None:
      break;
  }
  return "nothing";
}

std::vector<std::string> top_header(const TopSample& sample, const TopSample* before,
                                    UserNames& users) {
  const proto::DaemonStatusReply& status = sample.status;
  const proto::ActivityList& tpm = sample.tpm;
  std::vector<std::string> lines = {
      "TPM " + printable(status.device) + " (" +
          std::string(device_state_text(status.device_state)) + "), " +
          with_count(status.contexts, "context") + ", " + std::to_string(status.queued) +
          " waiting; tbsd " + printable(status.version) + ", up " + duration(status.uptime_us),
      "Runs: " + top_work(sample, users)};
  if (!status.problem.empty()) lines.push_back("Problem: " + printable(status.problem));
  lines.push_back(rates_line(sample, before));
  lines.push_back(occupancy("Objects", tpm.objects, tpm.objects_loaded, tpm.object_slots) + ".  " +
                  occupancy("Sessions", tpm.sessions, tpm.sessions_loaded, tpm.session_slots));
  return lines;
}

std::vector<TopColumn> top_columns(TopGroup group) {
  std::vector<TopColumn> amounts = {{"TPM", Align::Right, 0},
                                    {"CMD/S", Align::Right, 4},
                                    {"QUEUED", Align::Right, 3},
                                    {"BYTES", Align::Right, 6},
                                    {"NOW", Align::Left, 0}};
  std::vector<TopColumn> columns;
  if (group == TopGroup::Context) {
    columns = {{"CONTEXT", Align::Right, 0},
               {"USER", Align::Left, 5},
               {"PROGRAM", Align::Left, 2},
               {"UNIT", Align::Left, 7}};
  } else {
    columns = {{group == TopGroup::User ? "USER" : "UNIT", Align::Left, 0}};
  }
  std::ranges::move(amounts, std::back_inserter(columns));
  return columns;
}

std::vector<std::string> top_cells(const TopRow& row, TopGroup group) {
  std::vector<std::string> cells = {row.name};
  if (group == TopGroup::Context) {
    for (const std::string* const cell : {&row.user, &row.program, &row.unit}) {
      cells.push_back(*cell);
    }
  }
  for (std::string cell : {percent_text(row.share), rate_text(row.rate), std::to_string(row.queued),
                           std::to_string(row.bytes), row.now}) {
    cells.push_back(std::move(cell));
  }
  return cells;
}

}  // namespace tbs::ctl
