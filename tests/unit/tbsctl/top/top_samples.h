#pragma once

// Samples of a daemon with a few contexts, for the tests of `top`.

#include <chrono>
#include <string>
#include <utility>

#include "client/tbsctl/top/top_sample.h"
#include "proto/tpm/constants.h"

namespace tbs::test {

inline ctl::TopContext top_context(std::uint64_t number, std::string unit = "") {
  return {.entry = {.context = number,
                    .uid = 0,
                    .pid = 7,
                    .priority = 200,
                    .program = "prog" + std::to_string(number)},
          .activity = {.context = number, .unit = std::move(unit)}};
}

// At so many seconds, of a daemon that was started at 0.
inline ctl::TopSample top_sample(unsigned seconds, std::vector<ctl::TopContext> contexts) {
  return {.time = client::Clock::time_point(std::chrono::seconds(seconds)),
          .status = {.device_state = proto::DeviceState::Ready,
                     .contexts = static_cast<std::uint32_t>(contexts.size()),
                     .uptime_us = std::uint64_t{seconds} * 1'000'000,
                     .version = "1.2.3",
                     .device = "embedded"},
          .tpm = {.object_slots = 3, .session_slots = 4},
          .contexts = std::move(contexts)};
}

// Contexts 1 to 3. Since the sample before, 1 has had half of the time and 10 commands, 2 a tenth
// and 40; 3 has come.
inline std::pair<ctl::TopSample, ctl::TopSample> two_samples() {
  ctl::TopContext busy = top_context(1, "web.service");
  ctl::TopContext quick = top_context(2, "web.service");
  busy.activity.tpm_us = 100'000;
  quick.activity.tpm_us = 5'000'000;
  ctl::TopSample before = top_sample(10, {busy, quick});
  busy.activity.tpm_us += 1'000'000;
  busy.entry.submitted = 10;
  busy.entry.running = 1;
  busy.entry.command = TPM2_CC_CreatePrimary;
  busy.entry.running_us = 1'200'000;
  quick.activity.tpm_us += 200'000;
  quick.entry.submitted = 40;
  ctl::TopContext late = top_context(3);
  late.entry.uid = 4'000'000'000;
  late.entry.queued = 2;
  late.entry.queued_bytes = 90;
  late.entry.submitted = 2;
  late.activity.waiting_us = 300'000;
  late.activity.reason = proto::WaitReason::Turn;
  ctl::TopSample sample = top_sample(12, {busy, quick, late});
  sample.status.queued = 2;
  sample.status.commands = 50;
  sample.tpm.work = proto::TpmWork::Command;
  sample.tpm.command = TPM2_CC_CreatePrimary;
  sample.tpm.context = 1;
  sample.tpm.work_us = 1'200'000;
  sample.tpm.objects = 7;
  sample.tpm.objects_loaded = 3;
  sample.tpm.sessions = 5;
  sample.tpm.sessions_loaded = 2;
  return {std::move(before), std::move(sample)};
}

}  // namespace tbs::test
