#include "client/tbsctl/top/top_json.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "client/tbsctl/contexts/context_text.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/tpm/command_name.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using proto::TpmWork;
using proto::WaitReason;

constexpr Names<TpmWork, 6> kWorks = {{{TpmWork::None, "none"},
                                       {TpmWork::Command, "command"},
                                       {TpmWork::Own, "own"},
                                       {TpmWork::Starting, "starting"},
                                       {TpmWork::Ending, "ending"},
                                       {TpmWork::Asleep, "asleep"}}};

constexpr Names<WaitReason, 4> kReasons = {{{WaitReason::None, "none"},
                                            {WaitReason::Turn, "turn"},
                                            {WaitReason::Priority, "priority"},
                                            {WaitReason::HighShare, "high-share"}}};

ordered_json number_or_null(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json(nullptr);
}

ordered_json work_json(const proto::ActivityList& tpm) {
  ordered_json json = {{"kind", name_of(kWorks, tpm.work).value_or("unknown")},
                       {"command", nullptr},
                       {"context", nullptr},
                       {"running_us", tpm.work_us}};
  if (tpm.command != 0) {
    json["command"] = {{"code", tpm.command}, {"name", command_name(tpm.command)}};
  }
  if (tpm.work == TpmWork::Command) json["context"] = tpm.context;
  return json;
}

ordered_json occupancy_json(std::uint32_t held, std::uint32_t loaded, std::uint32_t slots) {
  return {{"held", held}, {"loaded", loaded}, {"slots", slots}};
}

}  // namespace

ordered_json top_json(const TopSample& sample, const TopSample* before, TopOrder order,
                      UserNames& users) {
  const proto::ActivityList& tpm = sample.tpm;
  ordered_json json = {
      {"device", sample.status.device},
      {"device_state", device_state_text(sample.status.device_state)},
      {"problem", sample.status.problem},
      {"interval_us", nullptr},
      {"work", work_json(tpm)},
      {"queued", sample.status.queued},
      {"objects", occupancy_json(tpm.objects, tpm.objects_loaded, tpm.object_slots)},
      {"sessions", occupancy_json(tpm.sessions, tpm.sessions_loaded, tpm.session_slots)},
      {"contexts", ordered_json::array()}};
  if (before != nullptr) {
    json["interval_us"] =
        std::chrono::duration_cast<std::chrono::microseconds>(sample.time - before->time).count();
  }
  auto rows = top_rows(sample, before, TopGroup::Context, {}, users);
  sort_rows(rows, order);
  for (const TopRow& row : rows) {
    const TopContext& context = *find_context(sample, row.context);
    auto one = context_json(context.entry, users);
    one["unit"] = nullptr;
    if (!context.activity.unit.empty()) one["unit"] = context.activity.unit;
    one["tpm_us"] = row.tpm_us;
    one["tpm_share"] = number_or_null(row.share);
    one["commands_per_second"] = number_or_null(row.rate);
    one["waiting_us"] = row.waiting_us;
    one["waits_for"] = name_of(kReasons, context.activity.reason).value_or("unknown");
    json["contexts"].push_back(std::move(one));
  }
  return json;
}

}  // namespace tbs::ctl
