// Between processes: what a service keeps for its successor, and how it goes on for a predecessor.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "daemon/host/left_name.h"
#include "daemon/tpm_service.h"

namespace tbs {
namespace {

sched::WorkKind kind_of(restart::InputKind origin) {
  switch (origin) {
    case restart::InputKind::Execute:
      return sched::WorkKind::Command;
    case restart::InputKind::IdleHousekeeping:
      return sched::WorkKind::IdleMaintenance;
    case restart::InputKind::BringUp:
      return sched::WorkKind::BringUp;
    case restart::InputKind::Shutdown:
      return sched::WorkKind::Shutdown;
    default:
      return sched::WorkKind::Maintenance;
  }
}

sched::LeftWork left_work(restart::Live live) {
  return {.work = {.kind = kind_of(live.origin),
                   .execution = std::move(live.execution),
                   .command = std::move(live.command)},
          .step = std::move(live.step),
          .withdrawn = live.withdrawn,
          .detached = live.detached,
          .carried_out = live.carried_out};
}

}  // namespace

void TpmService::begin_keeping() {
  auto made = ServiceKeeper::create(io_, *store_, recorded_engine_, keeper_options());
  if (!made) {
    spdlog::warn("a restart of tbsd will cut off its clients: no memory can be kept for it: {}",
                 made.error());
    return;
  }
  keeper_ = *std::move(made);
  use_keeper();
}

ServiceKeeper::Options TpmService::keeper_options() const {
  return {.tpm = std::string(device_->name()), .tenant = tenant_};
}

void TpmService::use_keeper() {
  device_->keep_in(&keeper_->response_memory());
  connections_.set_keeper(keeper_.get());
  server_.set_keeper(keeper_.get());
  keeper_->set_credit([this] { return pump_.credit(); });
  keeper_->start();
}

bool TpmService::take_over(LeftDescriptors& left, const Takeover::Profiles& profiles) {
  if (store_ == nullptr || left.memory < 0) return false;
  auto adopted = ServiceKeeper::adopt(io_, *store_, recorded_engine_, keeper_options(),
                                      std::exchange(left.memory, -1));
  if (!adopted) {
    spdlog::warn("the kept state is not used: {}; clients of before must connect anew",
                 adopted.error());
    return false;
  }
  const restart::LeftRecord& record = adopted->left;
  std::vector<Takeover::Ended> ended;
  auto live = recorded_engine_.recover(
      record.engine_state, record.inputs,
      [&](std::size_t input, const SharedCommand& command, const exec::Done& done) {
        const std::uint64_t order = input < record.settled ? 0 : record.request_at(input);
        if (order == 0) return;
        ended.push_back({order, command, done});
      });
  if (!live) {
    spdlog::warn("the kept state is not used: {}; clients of before must connect anew",
                 live.error());
    return false;
  }
  taken_over_ = statistics();
  keeper_ = std::move(adopted->keeper);
  use_keeper();
  go_on(std::move(adopted->left), std::move(ended), *std::move(live), left, profiles);
  return true;
}

void TpmService::go_on(restart::LeftRecord record, std::vector<Takeover::Ended> ended,
                       std::optional<restart::Live> live, LeftDescriptors& left,
                       const Takeover::Profiles& profiles) {
  Takeover::Running running;
  if (live && live->command != nullptr) {
    const std::uint64_t order = record.request_at(record.inputs.size());
    // Who waits for a detached one was going to be answered.
    if (live->detached) {
      ended.push_back({order, live->command, {.status = proto::Status::CommandCanceled}});
    } else {
      running = {order, live->command};
    }
  }
  takeover_ = std::make_unique<Takeover>(Takeover::Parts{.io = io_,
                                                         .server = server_,
                                                         .connections = connections_,
                                                         .pump = pump_,
                                                         .keeper = *keeper_},
                                         std::move(record.progress), std::move(left.clients));
  takeover_->bring_clients(profiles, std::move(ended), running);
  tell(proto::Event::WentOn,
       fmt::format("going on where the tbsd before this one ended, with {} clients",
                   takeover_->clients()));
  Pump::Left work{.device = std::move(left.device), .may_have_sent = keeper_->may_have_sent()};
  if (live) work.work = left_work(*std::move(live));
  pump_.restore(keeper_->left_credit());
  pump_.take_over(pump_events(), std::move(work), [this] {
    takeover_->go_on();
    takeover_.reset();
    keeper_->has_gone_on();
  });
}

// The device is closed before it is opened anew: what is on it may not have ended.
void TpmService::let_go(LeftDescriptors left) {
  if (left.memory >= 0) ::close(left.memory);
  for (const auto& [id, socket] : left.clients) {
    ::close(socket);
    if (store_ == nullptr) continue;
    store_->drop(
        host::to_string({.kind = host::LeftName::Kind::Client, .number = id, .tenant = tenant_}),
        nullptr);
  }
  if (left.device.empty()) {
    pump_.start(pump_events());
    return;
  }
  device_->adopt(std::move(left.device),
                 [this](const auto&) { device_->close([this] { pump_.start(pump_events()); }); });
}

void TpmService::leave_behind() {
  if (keeper_) keeper_->finish();
  device_->leave_behind();
}

std::vector<host::NamedDescriptor> TpmService::left() const {
  std::vector<host::NamedDescriptor> all;
  if (!keeper_) return all;
  using Kind = host::LeftName::Kind;
  all.push_back({host::to_string({.kind = Kind::Record, .tenant = tenant_}), keeper_->memory()});
  for (const device::KeptDescriptor& one : device_->kept()) {
    all.push_back({host::to_string({.kind = Kind::Tpm, .part = one.name, .tenant = tenant_}),
                   one.descriptor});
  }
  for (const auto& [id, socket] : keeper_->clients()) {
    all.push_back(
        {host::to_string({.kind = Kind::Client, .number = id, .tenant = tenant_}), socket});
  }
  return all;
}

}  // namespace tbs
