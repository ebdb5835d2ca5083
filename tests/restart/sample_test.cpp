// What a release has left is understood by this one, or refused with a reason: an upgrade is a
// restart with another program. The samples are the committed half of a journal, as a daemon of
// that release left it when it was killed: one client with a key and a sequence, another one with a
// session and a command on the TPM, a command that waits, nine bytes of a frame, and a third
// client.
//
// Each release adds its own when the format has changed.

#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/restart/entry_kind.h"
#include "daemon/restart/left_record.h"
#include "daemon/restart/recorded_engine.h"
#include "tests/restart/engine_life.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

// A state is of one start of the machine; this is the one on which the samples were made.
constexpr const char* kBoot = "50bf7e4cdc544302a9e11548066de166";

proto::Buffer read_sample(const std::string& release) {
  std::ifstream file(std::filesystem::path(TBS_SAMPLES_DIR) / release, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("this program goes on where a release has ended", "[restart][sample]") {
  const std::string release = GENERATE(as<std::string>(), "0.1.0");
  INFO(release);
  const proto::Buffer sample = read_sample(release);
  restart::JournalEntries entries(sample);
  const auto heading = entries.next();
  REQUIRE(heading);
  REQUIRE(heading->kind == restart::kHeadingKind);
  const auto left = restart::read_record(entries);
  if (!left) FAIL(left.error());

  const auto& clients = left->progress.clients.all();
  REQUIRE(clients.size() == 3);
  CHECK(left->progress.contexts.size() == 3);
  const restart::KeptClient& first = clients.begin()->second;
  const auto owner = std::next(clients.begin());
  const restart::KeptClient& second = owner->second;
  CHECK(first.requests.size() == 1);
  CHECK(first.input.size() == 9);
  CHECK(second.requests.size() == 1);
  CHECK_FALSE(first.opened.empty());

  World world;
  world.boot = kBoot;
  EngineLife life(world);
  restart::RecordedEngine engine(life.engine(), life.state(), life.outside());
  const auto live = engine.recover(left->engine_state, left->inputs);
  if (!live) FAIL(live.error());
  REQUIRE(*live);
  CHECK((*live)->origin == restart::InputKind::Execute);
  CHECK(static_cast<std::uint64_t>((*live)->command->context()) == owner->first);
  CHECK(left->request_at(left->inputs.size()) == second.requests[0].order);
  const auto* const sent = std::get_if<exec::Transmit>(&*(*live)->step);
  REQUIRE(sent != nullptr);
  CHECK(sent->client_command);
  const exec::Usage usage = engine.usage();
  CHECK(usage.objects_of_context.amount == 2);
  CHECK(usage.sessions_of_context.amount == 1);
}
