#include "tests/fuzz/history_game.h"

#include <memory>
#include <utility>

#include "proto/limits.h"
#include "tests/support/client_command.h"

namespace tbs::fuzz {

using proto::Buffer;
using proto::Bytes;
using proto::ByteWriter;

std::uint32_t word_at(Bytes bytes, std::size_t offset) {
  return bytes.size() < offset ? 0 : proto::ByteReader(bytes.subspan(offset)).be32();
}

std::uint32_t code_of(Bytes message) {
  return word_at(message, 6);
}

Buffer words(std::initializer_list<std::uint32_t> numbers) {
  Buffer bytes;
  ByteWriter writer(bytes);
  for (const std::uint32_t number : numbers) writer.be32(number);
  return bytes;
}

void HistoryGame::play() {
  bring_up();
  for (std::uint64_t i = 1; i <= kContexts; ++i) {
    engine().open_context(ContextId{i}, principal_of(UserId{static_cast<std::uint32_t>(i)}));
  }
  while (input_.remaining() != 0) turn(input_.u8());
  run(*engine().shutdown(false));
  require(empty());
}

exec::Options HistoryGame::options() {
  exec::Options chosen;
  const std::uint8_t bits = input_.u8();
  chosen.share = static_cast<exec::Share>(bits % 4);
  chosen.verify = (bits & 0x10) != 0;
  return chosen;
}

void HistoryGame::bring_up() {
  const auto done = run(*engine().bring_up());
  require(done && done->status == proto::Status::Success);
}

std::optional<exec::Done> HistoryGame::run(exec::Execution& execution, unsigned steps, Fate fate) {
  const bool loses = fate == Fate::Lost;
  exec::Step step = execution.start();
  for (unsigned sent = 1; auto* const transmit = std::get_if<exec::Transmit>(&step); ++sent) {
    if (sent == steps && !loses) execution.withdraw();
    const bool own = transmit->client_command;
    if (own && fate == Fate::Detached) execution.detach();
    const Buffer command = transmit->command;
    Buffer response = respond(command, own ? fate : Fate::Answered);
    if (loses && (steps == 0 ? own : sent == steps)) return std::nullopt;
    if (own && fate == Fate::Garbled) response.clear();
    step = execution.on_response(response);
  }
  return std::get<exec::Done>(std::move(step));
}

void HistoryGame::housekeeping() {
  while (const auto execution = engine().housekeeping()) run(*execution);
}

void HistoryGame::idle(unsigned steps, Fate fate) {
  housekeeping();
  auto execution = engine().idle_housekeeping();
  if (execution == nullptr) return;
  const auto done = run(*execution, steps, fate);
  execution.reset();
  if (!done) lose_device();
}

// As the dispatcher does: what was under way has ended before.
void HistoryGame::lose_device() {
  engine().device_lost();
  lost();
  bring_up();
}

std::optional<Buffer> HistoryGame::submit(ContextId context, Buffer command, Fate fate,
                                          unsigned steps) {
  housekeeping();
  auto execution = engine().execute(
      test::client_command({.context = context, .family = family_, .bytes = std::move(command)}));
  if (fate == Fate::Withdrawn) execution->withdraw();
  auto done = run(*execution, steps, fate);
  execution.reset();
  if (!done) lose_device();
  if (!done || done->status != proto::Status::Success) return std::nullopt;
  return std::move(done->response);
}

bool HistoryGame::good(const std::optional<Buffer>& response) {
  return response && response->size() >= proto::kTpmHeaderSize && code_of(*response) == 0;
}

}  // namespace tbs::fuzz
