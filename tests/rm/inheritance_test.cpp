#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

std::vector<std::uint32_t> handles_of(RealTpm& tpm, const RealTpm::Client& client) {
  std::vector<std::uint32_t> handles;
  for (const auto& held : tpm.bench.manager.held_by(client.id, 100)) handles.push_back(held.handle);
  return handles;
}

std::unique_ptr<RealTpm::Client> heir_of(RealTpm& tpm, const RealTpm::Client& parent,
                                         const Principal& user = kAlice) {
  auto heir = tpm.connect(user);
  tpm.bench.manager.inherit(heir->id, parent.id);
  return heir;
}

// The answer to TPM2_ReadPublic by handle: for a client that knows the handle from its parent.
std::vector<std::uint8_t> read_public(RealTpm& tpm, const RealTpm::Client& client,
                                      std::uint32_t handle) {
  return tpm.bench.submit(client.id,
                          tpm::CommandBuilder(tpm::cc::kReadPublic).handle(handle).finish());
}

// With it comes what the client inherits.
void any_command(RealTpm::Client& client) {
  client.handles(tpm::kTransientFirst);
}

}  // namespace

TEST_CASE("an heir has the keys of its parent, under their handles, as its own",
          "[rm][inheritance]") {
  RealTpm tpm;
  const auto parent = tpm.connect();
  // More than the TPM has room for: some are saved, some are not.
  std::vector<ESYS_TR> keys;
  for (std::uint8_t i = 0; i < 5; ++i) keys.push_back(parent->create_primary(i));
  const auto handles = handles_of(tpm, *parent);
  const auto heir = heir_of(tpm, *parent, kBob);
  for (const std::uint32_t handle : handles) {
    CHECK(read_public(tpm, *heir, handle) == read_public(tpm, *parent, handle));
  }
  CHECK(handles_of(tpm, *heir) == handles);
  // Each flushes for itself alone.
  REQUIRE(parent->flush(keys[0]));
  CHECK(handles_of(tpm, *heir) == handles);
  tpm.disconnect(*parent);
  any_command(*heir);
  CHECK(handles_of(tpm, *heir) == handles);
  CHECK(read_public(tpm, *heir, handles[0]).size() > proto::kTpmHeaderSize);
  tpm.disconnect(*heir);
  tpm.bench.run_due();
  CHECK(tpm.bench.manager.usage().objects.held == 0);
}

TEST_CASE("a parent that goes before its heir's first command leaves what is saved",
          "[rm][inheritance]") {
  RealTpm tpm;
  const auto parent = tpm.connect();
  for (std::uint8_t i = 0; i < 5; ++i) parent->create_primary(i);
  const auto handles = handles_of(tpm, *parent);
  std::vector<std::uint32_t> saved;
  for (const auto& held : tpm.bench.manager.held_by(parent->id, 100)) {
    if (held.loaded == 0) saved.push_back(held.handle);
  }
  REQUIRE_FALSE(saved.empty());
  const auto heir = heir_of(tpm, *parent);
  tpm.disconnect(*parent);
  any_command(*heir);
  CHECK(handles_of(tpm, *heir) == saved);
}

TEST_CASE("sequences and sessions stay with the parent", "[rm][inheritance]") {
  RealTpm tpm;
  const auto parent = tpm.connect();
  parent->create_primary(1);
  const auto handles = handles_of(tpm, *parent);
  const ESYS_TR sequence = parent->start_hash();
  parent->start_session(TPM2_SE_HMAC);
  const auto heir = heir_of(tpm, *parent);
  any_command(*heir);
  CHECK(handles_of(tpm, *heir) == handles);
  REQUIRE(parent->flush(sequence));
}

TEST_CASE("an heir gets no more than its limit", "[rm][inheritance]") {
  exec::Options options = verified();
  options.own_limits[kBob.account].objects_per_context = 2;
  RealTpm tpm(std::move(options));
  const auto parent = tpm.connect(kAlice);
  for (std::uint8_t i = 0; i < 3; ++i) parent->create_primary(i);
  const auto handles = handles_of(tpm, *parent);
  const auto heir = heir_of(tpm, *parent, kBob);
  any_command(*heir);
  CHECK(handles_of(tpm, *heir) == std::vector(handles.begin(), handles.begin() + 2));
}

TEST_CASE("the heir of an heir that has asked for nothing yet gets what that one would",
          "[rm][inheritance]") {
  RealTpm tpm;
  const auto parent = tpm.connect();
  parent->create_primary(1);
  const auto child = heir_of(tpm, *parent);
  const auto grandchild = heir_of(tpm, *child);
  any_command(*grandchild);
  CHECK(handles_of(tpm, *grandchild) == handles_of(tpm, *parent));
}

TEST_CASE("an object that the TPM does not save is not inherited, and the command runs",
          "[rm][inheritance]") {
  RealTpm tpm;
  const auto parent = tpm.connect();
  parent->create_primary(1);
  const auto heir = heir_of(tpm, *parent);
  tpm.intercept = [](std::span<const std::uint8_t> command) -> std::optional<RmBench::Bytes> {
    if (tpm::command_code_of(command) != tpm::cc::kContextSave) return std::nullopt;
    return tpm::bare_response(tpm::rc::kMemory);
  };
  any_command(*heir);
  tpm.intercept = nullptr;
  CHECK(handles_of(tpm, *heir).empty());
  any_command(*heir);
}
