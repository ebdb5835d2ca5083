#include "tests/restart/household.h"

#include <stdexcept>
#include <utility>

#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"
#include "tests/support/client_command.h"
#include "tests/support/client_commands.h"
#include "tests/support/signing_template.h"

namespace tbs::test {
namespace {

using proto::Buffer;

constexpr UserId kAdministrator{0};

std::uint32_t word_at(const Buffer& bytes, std::size_t offset) {
  return bytes.size() < offset ? 0 : proto::ByteReader(proto::Bytes(bytes).subspan(offset)).be32();
}

Buffer define_index(std::uint32_t index, std::uint16_t size) {
  Buffer area = tpm::CommandBuilder(0)
                    .u32(index)
                    .u16(TPM2_ALG_SHA256)
                    .u32(TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE)
                    .sized({})
                    .u16(size)
                    .finish();
  area.erase(area.begin(), area.begin() + static_cast<std::ptrdiff_t>(tpm::kHeaderSize));
  return tpm::CommandBuilder(TPM2_CC_NV_DefineSpace)
      .handle(TPM2_RH_OWNER)
      .authorization(tpm::password_authorization())
      .sized({})
      .sized(area)
      .finish();
}

// Unlike others of the tests, guarded against guessing.
Buffer create_guarded(std::uint8_t variant) {
  TPMT_PUBLIC key = signing_template(Buffer{variant});
  key.objectAttributes &= ~TPMA_OBJECT_NODA;
  return tpm::build::create_primary(TPM2_RH_OWNER, key);
}

Buffer sign_wrongly(std::uint32_t key) {
  const TPMT_TK_HASHCHECK no_ticket{
      .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}};
  return tpm::CommandBuilder(TPM2_CC_Sign)
      .handle(key)
      .authorization(tpm::password_authorization(Buffer{'n', 'o'}))
      .sized(Buffer(32, 0x5A))
      .u16(TPM2_ALG_NULL)
      .bytes(tpm::marshal(no_ticket))
      .finish();
}

Buffer undefine_index(std::uint32_t index) {
  return tpm::CommandBuilder(TPM2_CC_NV_UndefineSpace)
      .handle(TPM2_RH_OWNER)
      .handle(index)
      .authorization(tpm::password_authorization())
      .finish();
}

}  // namespace

Household::Household(std::uint32_t seed)
    : engine_([this] { return std::make_unique<EngineLife>(world_); }), random_(seed) {
  engine_.apply(policy::LockoutLimits{.window = 600, .per_user = 3, .total = 5});
  run(engine_.bring_up());
}

void Household::step() {
  world_.steady += std::chrono::seconds(pick(3));
  world_.machine.since_boot += pick(40);
  world_.machine.wall += pick(60);
  const std::size_t what = pick(100);
  if (clients_.empty() || (what < 6 && clients_.size() < 6 && !clients_.front().raw)) return open();
  if (what < 9) return close(pick(clients_.size()));
  if (what < 11) return raw_context();
  if (what < 13) return lose();
  if (what < 17) return settings();
  if (what < 22) {
    maintain();
    if (auto idle = engine_.idle_housekeeping()) run(std::move(idle));
    return;
  }
  command(clients_[pick(clients_.size())]);
}

void Household::open() {
  const UserId user{pick(4) == 0 ? 0 : 1000 + static_cast<std::uint32_t>(pick(3))};
  clients_.push_back({.context = ContextId{++contexts_}, .user = user});
  engine_.open_context(clients_.back().context, principal_of(user));
  if (pick(3) == 0) {
    engine_.skip_handles(clients_.back().context, static_cast<std::uint32_t>(pick(4)));
  } else if (pick(3) == 0) {
    engine_.inherit(clients_.back().context, clients_[pick(clients_.size())].context);
  }
}

void Household::close(std::size_t at) {
  engine_.close_context(clients_[at].context);
  clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(at));
}

// It is alone while it is there.
void Household::raw_context() {
  while (!clients_.empty()) close(0);
  const ContextId context{++contexts_};
  engine_.apply(restart::RawContext{context});
  clients_.push_back({.context = context, .user = kAdministrator, .raw = true});
  engine_.open_context(context, principal_of(kAdministrator));
  for (std::size_t left = 1 + pick(6); left != 0 && !clients_.empty(); --left) {
    command(clients_.front());
  }
  if (!clients_.empty()) close(0);
}

void Household::settings() {
  switch (pick(5)) {
    case 0:
      return engine_.apply(restart::ForgetFailures{});
    case 1:
      return engine_.apply(restart::ForgetFailures{account_of(UserId{1000})});
    case 2:
      return engine_.apply(restart::LastingLimits{
          .limits = {.nv_bytes_per_user = 16 + pick(100), .nv_indices_per_user = 1 + pick(4)},
          .own_limits = {{account_of(UserId{1001}), {.nv_indices_per_user = 1}}}});
    case 3:
      return engine_.apply(
          restart::ManagerOptions{{.limits = {.objects_per_context = 2 + pick(8),
                                              .orphan_lifetime = std::chrono::seconds(30)},
                                   .share = static_cast<exec::Share>(pick(3))}});
    default:
      world_.blocks = !world_.blocks;
  }
}

void Household::lose() {
  engine_.device_lost();
  if (pick(3) == 0) tpm_.power_cycle();
  run(engine_.bring_up());
}

void Household::maintain() {
  for (int left = 200; left != 0; --left) {
    auto work = engine_.housekeeping();
    if (work == nullptr) return;
    if (!run(std::move(work))) lose();
  }
  throw std::runtime_error("housekeeping does not end");
}

void Household::command(Client& client) {
  const ContextId context = client.context;
  maintain();
  Buffer bytes = some_command(client);
  if (client.raw) ++seen_.raw;
  const auto command =
      client_command({.user = client.user,
                      .roles = client.user == kAdministrator ? kAdministratorRoles : kUserRoles,
                      .context = context,
                      .bytes = bytes});
  static_cast<void>(engine_.loads_needed(*command));
  const auto done = run(engine_.execute(command), true);
  if (!done) return lose();
  for (Client& found : clients_) {
    if (found.context == context && done->status == proto::Status::Success) {
      keep(found, bytes, done->response);
    }
  }
}

Buffer Household::some_command(Client& client) {
  const auto object =
      client.objects.empty() ? tpm::kTransientFirst : client.objects[pick(client.objects.size())];
  const auto session =
      client.sessions.empty() ? 0x03000000U : client.sessions[pick(client.sessions.size())];
  const auto index = 0x01800000 + static_cast<std::uint32_t>(pick(4));
  switch (pick(16)) {
    case 0:
      return command::load_hmac_key(Buffer(24, static_cast<std::uint8_t>(random_())));
    case 1:
    case 2:
      return command::start_hash();
    case 3:
    case 4:
      return command::update(object, static_cast<std::uint8_t>(random_()));
    case 5:
      return create_guarded(static_cast<std::uint8_t>(random_()));
    case 6:
      return sign_wrongly(object);
    case 7:
      return command::start_policy();
    case 8:
      return tpm::build::context_save(pick(2) == 0 ? object : session);
    case 9:
      if (client.saved.empty()) break;
      return tpm::build::context_load(client.saved[pick(client.saved.size())]);
    case 10:
      return tpm::build::flush_context(pick(2) == 0 ? object : session);
    case 11:
    case 12:
      return define_index(index, static_cast<std::uint16_t>(8 + pick(16)));
    case 13:
      return undefine_index(index);
    case 14:
      return tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kFixed, 8);
    default:
      break;
  }
  return command::policy_command_code(session, TPM2_CC_Sign);
}

void Household::keep(Client& client, const Buffer& command, const Buffer& response) {
  const std::uint32_t code = word_at(response, 6);
  if (tpm::is_auth_fail(code)) ++seen_.failures;
  if (code == tpm::rc::kLockout || code == 0x143) ++seen_.refused;
  if (code != 0) return;
  const std::uint32_t result = word_at(response, tpm::kHeaderSize);
  switch (word_at(command, 6)) {
    case TPM2_CC_NV_DefineSpace:
      ++seen_.indices;
      break;
    case TPM2_CC_ContextSave:
      client.saved.emplace_back(response.begin() + tpm::kHeaderSize, response.end());
      break;
    case TPM2_CC_CreatePrimary:
    case TPM2_CC_LoadExternal:
    case TPM2_CC_HashSequenceStart:
    case TPM2_CC_StartAuthSession:
    case TPM2_CC_ContextLoad:
      (tpm::is_session(result) ? client.sessions : client.objects).push_back(result);
      break;
    default:
      break;
  }
}

std::optional<exec::Done> Household::run(std::unique_ptr<exec::Execution> execution, bool client) {
  exec::Step step = execution->start();
  for (int left = 3000; left != 0; --left) {
    if (auto* const end = std::get_if<exec::Done>(&step)) return std::move(*end);
    if (client) {
      const std::size_t event = pick(60);
      if (event == 0) execution->withdraw();
      if (event == 1) {
        ++seen_.detached;
        execution->detach();
      }
      if (event == 2) return std::nullopt;
    }
    if (const auto* const transmit = std::get_if<exec::Transmit>(&step)) {
      const Buffer bytes = transmit->command;
      step = execution->on_response(tpm_.run(bytes));
    } else {
      step = execution->on_pause_over();
    }
  }
  throw std::runtime_error("the execution does not end");
}

}  // namespace tbs::test
