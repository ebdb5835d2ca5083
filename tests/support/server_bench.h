#pragma once

// A server without a socket, a TPM or a clock, and its clients.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/exec/pass_through.h"
#include "daemon/exec/raw_context_router.h"
#include "daemon/server/server.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/fake_link.h"
#include "tests/support/fake_sink.h"

namespace tbs::test {

class FakeEnvironment : public server::Environment {
 public:
  TimePoint time{};
  MachineTime machine{.since_boot = 5000, .wall = 1'700'000'000};
  bool short_of_memory = false;
  std::uint8_t random = 0;
  bool has_random = true;
  std::vector<std::move_only_function<void()>> posted;

  void run_posted() {
    for (auto& work : std::exchange(posted, {})) work();
  }

  [[nodiscard]] TimePoint now() const override { return time; }
  [[nodiscard]] bool memory_is_short() override { return short_of_memory; }
  // Each time another one.
  [[nodiscard]] bool fill_random(std::span<std::uint8_t> room) override {
    std::ranges::fill(room, ++random);
    return has_random;
  }
  void post(std::move_only_function<void()> work) override { posted.push_back(std::move(work)); }
};

// Keeps what is written.
class FakeAuditLog : public server::AuditLog {
 public:
  struct Entry {
    spdlog::level::level_enum level;
    proto::Event event;
    host::AuditFields fields;
    std::string text;
  };
  std::vector<Entry> entries;

  [[nodiscard]] std::vector<Entry> of(proto::Event event) const {
    std::vector<Entry> chosen;
    for (const Entry& entry : entries) {
      if (entry.event == event) chosen.push_back(entry);
    }
    return chosen;
  }

  void write(spdlog::level::level_enum level, proto::Event event, const host::AuditFields& fields,
             const std::string& text) override {
    entries.push_back({level, event, fields, text});
  }
};

// Keeps the questions until the test answers them.
class FakeFirmware : public firmware::Firmware {
 public:
  std::vector<std::pair<std::uint64_t, Handler<firmware::LogBytes>>> logs;  // by offset
  std::vector<std::pair<firmware::PresenceRequest, Handler<proto::Buffer>>> presences;
  std::vector<std::pair<std::string, Handler<proto::Buffer>>> owner_auths;

  void read_log(std::uint64_t offset, Handler<firmware::LogBytes> handler) override {
    logs.emplace_back(offset, std::move(handler));
  }
  void call_presence(const firmware::PresenceRequest& request,
                     Handler<proto::Buffer> handler) override {
    presences.emplace_back(request, std::move(handler));
  }
  void read_owner_auth(std::string_view name, Handler<proto::Buffer> handler) override {
    owner_auths.emplace_back(name, std::move(handler));
  }
};

// Tells the engine's parts without anything between.
class DirectSettings final : public server::EngineSettings {
 public:
  DirectSettings(exec::RawContextRouter& router, policy::AuthorizationGuard& guard)
      : router_(router), guard_(guard) {}
  void claim_tpm(ContextId context) override { router_.claim(context); }
  void forget_failures(std::optional<AccountId> account) override { guard_.reset(account); }

 private:
  exec::RawContextRouter& router_;
  policy::AuthorizationGuard& guard_;
};

inline constexpr std::uint32_t kAdminGroup = 27;

class ServerBench {
 public:
  ServerBench() : ServerBench(sink) { sink.deliver = deliver(); }
  // With a sink of the test's own.
  explicit ServerBench(server::CommandSink& chosen)
      : server({.environment = environment,
                .audit_log = audit,
                .history = history,
                .sink = chosen,
                .firmware = firmware,
                .settings = settings,
                .guard = guard,
                .ownership = ownership,
                .command_table = commands}) {
    configure({});
  }

  void configure(const policy::Limits& limits, const server::Permissions& permissions = {}) {
    server.configure(limits, {.group = kAdminGroup, .has_group = true}, permissions);
  }
  std::function<void(sched::Answer)> deliver() {
    return [this](const sched::Answer& answer) { server.deliver(answer); };
  }

  // Connects and says nothing.
  std::shared_ptr<FakeLink> connect(std::uint32_t uid, std::vector<std::uint32_t> groups = {},
                                    std::string cgroup = {}) {
    const std::uint64_t id = ++last_id_;
    auto link = std::make_shared<FakeLink>(id, server);
    server::Peer peer{.principal = principal_of(UserId{uid}), .pid = static_cast<pid_t>(1000 + id)};
    peer.subject.uid = uid;
    peer.subject.gids = std::move(groups);
    peer.subject.cgroup = std::move(cgroup);
    peer.program = "prog";
    peer.socket = socket ? socket : usual_socket(peer.subject);
    server.accept(id, link, std::move(peer));
    return link;
  }
  // Connects, says hello, and has taken the answer.
  std::shared_ptr<FakeLink> greeted(std::uint32_t uid, proto::Role role,
                                    std::vector<std::uint32_t> groups = {},
                                    std::uint32_t wanted = proto::kWantTpm20) {
    auto link = connect(uid, std::move(groups));
    link->send_from_client(1, proto::Hello{.role = role, .wanted = wanted});
    link->take();
    return link;
  }
  std::shared_ptr<FakeLink> context(std::uint32_t uid, std::vector<std::uint32_t> groups = {}) {
    return greeted(uid, proto::Role::Context, std::move(groups));
  }
  std::shared_ptr<FakeLink> observer(std::uint32_t uid, std::vector<std::uint32_t> groups = {}) {
    return greeted(uid, proto::Role::Observer, std::move(groups));
  }

  FakeEnvironment environment;
  policy::AuthorizationGuard guard{[this] { return environment.machine; }};
  FakeAuditLog audit;
  server::EventHistory history;
  FakeSink sink;
  FakeFirmware firmware;
  tpm::CommandTable commands;
  policy::OwnershipGuard ownership{commands, [] { return std::uint64_t{1'700'000'000}; }};
  exec::TpmIdentity engine_identity;
  exec::PassThrough managed{engine_identity};
  exec::PassThrough raw{engine_identity};
  exec::RawContextRouter raw_contexts{managed, raw};
  DirectSettings settings{raw_contexts, guard};
  server::Server server;
  // Where clients connect; null: administrators to their own, others to everybody's.
  server::SharedProfile socket;

 private:
  static server::SharedProfile usual_socket(const rules::Subject& subject) {
    const bool administrator =
        subject.uid == 0 || std::ranges::find(subject.gids, kAdminGroup) != subject.gids.end();
    return administrator ? server::administrators_profile() : server::everybodys_profile();
  }

  std::uint64_t last_id_ = 0;
};

// A TPM 2.0 command or response: header and further words.
inline proto::Buffer tpm_message(std::uint32_t code, std::vector<std::uint32_t> words = {},
                                 std::uint16_t tag = tpm::kTagNoSessions) {
  proto::Buffer out;
  proto::ByteWriter writer(out);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(proto::kTpmHeaderSize + 4 * words.size()));
  writer.be32(code);
  for (const std::uint32_t word : words) writer.be32(word);
  return out;
}

}  // namespace tbs::test
