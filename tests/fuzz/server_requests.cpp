// Several clients at once, each of which sends what the input says: requests of every type, noise,
// nothing at all; and a sink that answers when the input says. Whatever they do, every command that
// was taken is answered once, to the client that sent it, and nothing is left when all have gone.
//
// The input is a script of steps, one byte each with what it needs behind it.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::size_t kMostClients = 12;
constexpr std::size_t kMostSteps = 600;

class Script {
 public:
  explicit Script(proto::Bytes bytes) : reader_(bytes) {}

  [[nodiscard]] bool over() const { return reader_.at_end() || !reader_.ok(); }
  std::uint8_t byte() { return reader_.u8(); }
  // One of `count`.
  std::size_t choice(std::size_t count) { return byte() % count; }
  proto::Buffer bytes(std::size_t most) {
    const std::size_t count = std::min<std::size_t>(choice(most + 1), reader_.remaining());
    const proto::Bytes taken = reader_.take(count);
    return {taken.begin(), taken.end()};
  }

 private:
  proto::ByteReader reader_;
};

struct Player {
  std::shared_ptr<FakeLink> link;
  std::uint64_t last_request = 1;
  bool reads = true;
  bool noisy = false;                     // has sent bytes that may mean anything
  std::map<std::uint64_t, int> commands;  // sent and not answered, by request id
};

class Game {
 public:
  Game() {
    bench_.configure({.contexts = 6, .contexts_per_user = 3, .backlog_kib_per_user = 64},
                     {.raw_contexts = true});
    static const std::vector<rules::Source> kRules = {
        {.name = "fuzz", .text = "block user command Clear\n"}};
    bench_.server.set_rules(rules::parse_rules(kRules).value());
    bench_.guard.set_limits({.window = 100, .per_user = 1, .total = 2});
    bench_.guard.restore("1002 1700000000\n", [](const std::string&) {});
  }

  void step(Script& script) {
    switch (script.choice(12)) {
      case 0:
        return connect(script);
      case 1:
      case 2:
      case 3:
        return submit(script);
      case 4:
        return ask(script);
      case 5:
        return answer(script);
      case 6:
        return noise(script);
      case 7:
        return change_reading(script);
      case 8:
        return change_device(script);
      case 9:
        return pass_time(script);
      case 10:
        return hang_up(script);
      default:
        return settle();
    }
  }

  void end() {
    bench_.sink.view.state = proto::DeviceState::Ready;
    bench_.server.device_changed();
    bench_.environment.short_of_memory = false;
    for (Player& player : players_) {
      player.reads = true;
      player.link->set_client_reads(true);
    }
    while (!bench_.sink.outstanding.empty() || !bench_.environment.posted.empty()) {
      if (!bench_.sink.outstanding.empty()) answer_at(0);
      settle();
    }
    settle();
    for (Player& player : players_) {
      if (player.noisy || player.link->closed()) continue;
      require(player.link->unread() == 0);
      for (const auto& [request, count] : player.commands) require(count == 0);
    }
    for (Player& player : players_) player.link->hang_up();
    settle();
    const auto& admission = bench_.server.admission();
    require(admission.connections().size() == 0 && admission.contexts().size() == 0);
    require(bench_.server.backlog().total() == 0 && bench_.server.held_up() == 0);
    require(bench_.sink.open.empty() && bench_.sink.outstanding.empty());
    require(!bench_.server.next_deadline());
  }

 private:
  void connect(Script& script) {
    const std::size_t who = script.choice(8);
    const std::size_t hello = script.choice(8);
    if (players_.size() == kMostClients) return;
    constexpr std::array<std::uint32_t, 4> kUsers = {0, 1000, 1001, 1002};
    Player player;
    player.link = bench_.connect(kUsers.at(who % 4),
                                 who < 4 ? std::vector<std::uint32_t>{} : std::vector{kAdminGroup});
    if (hello > 0) {
      player.link->send_from_client(
          1, proto::Hello{
                 .role = hello == 1 ? proto::Role::Observer : proto::Role::Context,
                 .wanted = hello == 2 ? proto::kWantTpm20 | proto::kWantRaw : proto::kWantTpm20});
    }
    players_.push_back(std::move(player));
  }

  Player* chosen(Script& script) {
    const std::uint8_t which = script.byte();
    return players_.empty() ? nullptr : &players_[which % players_.size()];
  }

  std::uint64_t next_request(Script& script, Player& player) {
    if (script.byte() == 0) return player.last_request;  // once more
    return ++player.last_request;
  }

  // The command names its sender, so that its answer can be told from others.
  void submit(Script& script) {
    Player* const player = chosen(script);
    const std::uint8_t kind = script.byte();
    const std::size_t words = std::size_t{script.byte()} * (kind % 5);
    if (player == nullptr) return;
    const std::uint64_t request = next_request(script, *player);
    std::vector<std::uint32_t> body = {static_cast<std::uint32_t>(player->link->id()),
                                       static_cast<std::uint32_t>(request)};
    body.resize(body.size() + words);
    const std::uint16_t tag = kind % 3 == 0 ? tpm::kTagSessions : tpm::kTagNoSessions;
    const proto::Buffer command =
        tpm_message(kind % 4 == 0 ? tpm::cc::kClear : tpm::cc::kGetRandom, std::move(body), tag);
    if (!player->link->closed()) ++player->commands[request];
    player->link->send_from_client(request, proto::Submit{.locality = kind % 7 == 0 ? 1U : 0U,
                                                          .priority = kind * 2U,
                                                          .command = command});
  }

  void ask(Script& script) {
    Player* const player = chosen(script);
    const std::size_t question = script.choice(15);
    const std::uint8_t number = script.byte();
    if (player == nullptr) return;
    const std::uint64_t request = next_request(script, *player);
    FakeLink& link = *player->link;
    const proto::Buffer input = firmware::presence_integers({number % 9U});
    switch (question) {
      case 0:
        if (number < 0x80) return link.send_from_client(request, proto::Cancel{});
        return link.send_from_client(request, proto::CancelCommand{.request = number - 0x80U});
      case 1:
        return link.send_from_client(request, proto::DeviceInfo{});
      case 2:
        return link.send_from_client(request, proto::ListContexts{.after = number});
      case 3:
        return link.send_from_client(request, proto::CancelContext{.context = number});
      case 4:
        return link.send_from_client(request, proto::DaemonStatus{});
      case 5:
        return link.send_from_client(request, proto::MakeSticky{.handle = number, .sticky = 1});
      case 6:
        return link.send_from_client(request, proto::ReadLog{.log_type = number % 7U});
      case 7:
        return link.send_from_client(request, proto::PhysicalPresence{.input = input});
      case 8:
        return link.send_from_client(request, proto::OwnerAuth{.auth_type = number % 14U});
      case 9:
        return link.send_from_client(request, proto::RevokeAttestation{});
      case 10:
        return link.send_from_client(request, proto::ListLimits{});
      case 11:
        return link.send_from_client(request, proto::LockoutStatus{});
      case 12:
        return link.send_from_client(request, proto::ListHoldings{.context = number});
      case 13:
        return link.send_from_client(request, proto::ListActivity{.after = number});
      default:
        return link.send_from_client(request, proto::LockoutReset{.uid = 1000U + number % 3U});
    }
  }

  void answer(Script& script) {
    const std::uint8_t which = script.byte();
    if (bench_.sink.outstanding.empty()) return;
    answer_at(which % bench_.sink.outstanding.size());
  }

  // With the words that say whose command it was.
  void answer_at(std::size_t index) {
    const ClientCommand& command = *bench_.sink.outstanding[index];
    proto::ByteReader reader(command.bytes());
    reader.skip(proto::kTpmHeaderSize);
    const std::uint32_t sender = reader.be32();
    const std::uint32_t request = reader.be32();
    bench_.sink.answer(command.context(), command.request(), tpm_message(0, {sender, request}));
  }

  void noise(Script& script) {
    Player* const player = chosen(script);
    const proto::Buffer bytes = script.bytes(64);
    if (player == nullptr || bytes.empty()) return;
    player->noisy = true;
    player->link->send_from_client(bytes);
  }

  void change_reading(Script& script) {
    Player* const player = chosen(script);
    if (player == nullptr) return;
    player->reads = !player->reads;
    player->link->set_client_reads(player->reads);
  }

  void change_device(Script& script) {
    const std::uint8_t how = script.byte();
    constexpr std::array kStates = {proto::DeviceState::Starting, proto::DeviceState::Ready,
                                    proto::DeviceState::Down};
    bench_.sink.view.state = kStates.at(how % 3);
    bench_.sink.view.localities = how % 2 == 0;
    bench_.environment.short_of_memory = how % 16 == 15;
    if (bench_.sink.view.state != proto::DeviceState::Starting) bench_.server.device_changed();
  }

  void pass_time(Script& script) {
    bench_.environment.time += std::chrono::milliseconds(100) * script.byte();
    bench_.server.tick();
  }

  void hang_up(Script& script) {
    if (Player* const player = chosen(script)) player->link->hang_up();
  }

  // What waits for the loop happens, and the clients take what they were sent.
  void settle() {
    bench_.environment.run_posted();
    for (auto& [offset, handler] : std::exchange(bench_.firmware.logs, {})) {
      handler(firmware::LogBytes{.more = true, .bytes = {1, 2, 3}});
    }
    for (auto& [request, handler] : std::exchange(bench_.firmware.presences, {})) {
      handler(std::unexpected(proto::Status::PpiNotSupported));
    }
    for (auto& [name, handler] : std::exchange(bench_.firmware.owner_auths, {})) {
      handler(proto::Buffer{7});
    }
    for (Player& player : players_) {
      for (const Received& frame : player.link->take()) check(player, frame);
    }
  }

  static void check(Player& player, const Received& frame) {
    const auto result = frame.as<proto::Result>();
    if (!result || player.noisy) return;
    require(--player.commands[frame.request_id] >= 0);
    // Shorter ones are the daemon's own.
    if (result->response.size() <= proto::kTpmHeaderSize) return;
    proto::ByteReader reader(result->response);
    reader.skip(proto::kTpmHeaderSize);
    require(reader.be32() == player.link->id());
    require(reader.be32() == static_cast<std::uint32_t>(frame.request_id));
  }

  ServerBench bench_;
  std::vector<Player> players_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script(proto::Bytes(data, size));
  Game game;
  for (std::size_t steps = 0; steps < kMostSteps && !script.over(); ++steps) game.step(script);
  game.end();
  return 0;
}
