#include "tests/fuzz/manager_game.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "proto/limits.h"
#include "tests/support/client_command.h"

namespace tbs::fuzz {

using proto::Buffer;
using proto::Bytes;
using proto::ByteWriter;

void require(bool condition) {
  if (!condition) std::abort();
}

Buffer message(std::uint16_t tag, std::uint32_t code, Bytes body) {
  Buffer bytes;
  ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(proto::kTpmHeaderSize + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

exec::Options ManagerGame::options() {
  exec::Options chosen;
  const std::uint8_t bits = input_.u8();
  chosen.share = static_cast<exec::Share>(bits % 4);
  chosen.verify = (bits & 0x10) != 0;
  chosen.remove_saved_sessions = (bits & 0x20) != 0;
  chosen.limits = {.objects_per_context = 6,
                   .objects_per_user = 10,
                   .sessions_per_context = 4,
                   .sessions_per_user = 6,
                   .orphans_per_user = 2,
                   .orphan_lifetime = std::chrono::seconds(5)};
  chosen.now = [this] { return now_; };
  return chosen;
}

void ManagerGame::play() {
  for (int turns = 0; turns < 200 && input_.remaining() != 0; ++turns) {
    const std::uint8_t kind = input_.u8();
    turn(kind);
    switch (kind % 8) {
      case 0:
        open();
        break;
      case 1:
        close();
        break;
      case 2:
        idle((kind >> 3) % 8);
        break;
      case 3:
        lose();
        break;
      default:
        command();
        break;
    }
  }
  finish();
}

Buffer ManagerGame::noise() {
  const Bytes raw = input_.take(std::min<std::size_t>(input_.u8(), input_.remaining()));
  return {raw.begin(), raw.end()};
}

void ManagerGame::open() {
  const ContextId context{++contexts_};
  const Principal user = principal_of(UserId{input_.u8() % 3U});
  engine().open_context(context, user);
  open_.push_back(context);
}

void ManagerGame::close() {
  if (open_.empty()) return;
  const std::size_t at = input_.u8() % open_.size();
  engine().close_context(open_[at]);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
  now_ += std::chrono::seconds(1);
}

void ManagerGame::command() {
  if (open_.empty()) open();
  const ContextId context = open_[input_.u8() % open_.size()];
  maintain();
  Buffer bytes = input_.u8() == 0 ? noise() : some_command();
  // What has no header of its size goes no further than the frame.
  const auto command =
      test::client_command({.context = context, .family = family_, .bytes = std::move(bytes)});
  if (command == nullptr) return;
  static_cast<void>(engine().loads_needed(*command));
  const auto execution = engine().execute(command);
  const auto end = run(*execution);
  if (!end) return lose();
  if (end->status != proto::Status::Success) return;
  require(end->response.size() >= proto::kTpmHeaderSize);
  keep(command->code(), end->response);
}

std::optional<exec::Done> ManagerGame::run(exec::Execution& execution, unsigned steps) {
  exec::Step step = execution.start();
  for (int i = 0; i < most_steps_; ++i) {
    if (auto* const end = std::get_if<exec::Done>(&step)) return std::move(*end);
    if (steps != 0 && --steps == 0) execution.withdraw();
    if (const std::uint8_t event = input_.u8(); event >= 250) {
      if (event == 250) return std::nullopt;
      if (event < 253) execution.withdraw();
      if (event >= 253) execution.detach();
      if (event == 255) close();
    }
    if (const auto* const transmit = std::get_if<exec::Transmit>(&step)) {
      require(transmit->command.size() >= proto::kTpmHeaderSize);
      const Buffer command = transmit->command;
      step = execution.on_response(respond(command));
    } else {
      step = execution.on_pause_over();
    }
  }
  std::abort();  // it does not end
}

void ManagerGame::maintain() {
  for (int i = 0; i < 300; ++i) {
    const auto execution = engine().housekeeping();
    if (execution == nullptr) return;
    if (!run(*execution)) lose();
  }
  std::abort();
}

void ManagerGame::idle(unsigned steps) {
  maintain();
  const auto execution = engine().idle_housekeeping();
  if (execution != nullptr && !run(*execution, steps)) lose();
}

void ManagerGame::bring_up() {
  const auto execution = engine().bring_up();
  exec::Step step = execution->start();
  while (auto* const transmit = std::get_if<exec::Transmit>(&step)) {
    const Buffer command = transmit->command;
    step = execution->on_response(honest(command));
  }
  require(std::get<exec::Done>(step).status == proto::Status::Success);
}

void ManagerGame::lose() {
  engine().device_lost();
  bring_up();
}

void ManagerGame::finish() {
  for (const ContextId context : open_) engine().close_context(context);
  auto execution = engine().shutdown(true);
  run(*execution);
  execution.reset();
  check_empty();
}

}  // namespace tbs::fuzz
