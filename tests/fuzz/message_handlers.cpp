// Each request of the protocol with whatever its fields may hold, in any order, from clients that
// say hello in each version, or not at all. Each request gets one answer at most: of the type that
// belongs to it, to the client that asked, and readable; and nothing is left when all have gone.
//
// The input is a script of steps, one byte each with what it needs behind it. server_requests.cpp
// knows fewer requests, and more of what can happen to them.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "proto/message_list.h"
#include "proto/tpm/constants.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::size_t kMostClients = 6;
constexpr std::size_t kMostSteps = 300;

struct Request {
  proto::MessageRule rule;
  proto::Type reply;
  bool (*is_readable)(proto::Bytes);
};

template <typename Row>
void list(std::vector<Request>& all, const Row& row) {
  if constexpr (Row::kDirection == proto::Direction::ToDaemon) {
    using Reply = typename Row::Reply;
    all.push_back(
        {.rule = row.rule(), .reply = Reply::kType, .is_readable = [](proto::Bytes bytes) {
           return proto::decode<Reply>(bytes).has_value();
         }});
  }
}

const std::vector<Request>& all_requests() {
  static const std::vector<Request> kAll = [] {
    std::vector<Request> all;
    std::apply([&](const auto&... rows) { (list(all, rows), ...); }, proto::kMessages);
    return all;
  }();
  return kAll;
}

struct Player {
  std::shared_ptr<FakeLink> link;
  std::uint64_t last = 0;
  std::map<std::uint64_t, const Request*> open;  // by the number of the request
};

class Handlers {
 public:
  explicit Handlers(proto::Bytes script) : script_(script) {
    bench_.configure({.contexts = 4, .contexts_per_user = 2}, {.raw_contexts = true});
  }

  void run() {
    for (std::size_t step = 0; step < kMostSteps && !script_.at_end() && script_.ok(); ++step) {
      switch (script_.u8() % 8) {
        case 0:
          connect();
          break;
        case 1:
          answer();
          break;
        case 2:
          pass_time();
          break;
        case 3:
          hang_up();
          break;
        case 4:
          change_device();
          break;
        default:
          ask();
      }
      settle();
    }
    end();
  }

 private:
  void connect() {
    const std::uint8_t who = script_.u8();
    if (players_.size() == kMostClients) return;
    Player player;
    constexpr std::array<std::uint32_t, 3> kUsers = {0, 1000, 1001};
    player.link = bench_.connect(kUsers[who % 3]);
    players_.push_back(std::move(player));
    // Now and then the first request is another one.
    if (who >= 16) send(players_.back(), all_requests().front(), hello());
  }

  // Of every version, and of ones that will never be.
  proto::Buffer hello() {
    const std::uint8_t versions = script_.u8();
    const std::uint8_t kind = script_.u8();
    proto::Buffer payload;
    proto::FieldEncoder encoder(payload);
    proto::Hello hello{.version_min = static_cast<std::uint16_t>(versions % 4),
                       .version_max = static_cast<std::uint16_t>(versions / 4 % 8),
                       .role = static_cast<proto::Role>(kind % 4),
                       .wanted = kind / 4U,
                       .earlier = script_.u8()};
    hello.fields(encoder);
    return payload;
  }

  void ask() {
    const std::uint8_t which = script_.u8();
    const Request& request = all_requests()[script_.u8() % all_requests().size()];
    proto::Buffer payload = fields(request.rule);
    if (players_.empty()) return;
    if (request.rule.type == proto::Type::Submit) finish_command(payload);
    send(players_[which % players_.size()], request, payload);
  }

  // As many bytes as there may be. Small numbers are the interesting ones, and contexts have such.
  proto::Buffer fields(const proto::MessageRule& rule) {
    const std::size_t most = std::min<std::size_t>(rule.max_payload, rule.min_payload + 24U);
    const std::size_t size = rule.min_payload + script_.u8() % (most - rule.min_payload + 1);
    const bool small = script_.u8() % 2 == 0;
    proto::Buffer payload(size);
    for (std::size_t at = 0; at < size && !script_.at_end(); at += small ? 4 : 1) {
      payload[at] = script_.u8();
    }
    return payload;
  }

  // The header of its TPM command says how long it is.
  static void finish_command(proto::Buffer& payload) {
    constexpr std::size_t kCommand = 8;
    payload[kCommand] = 0x80;
    payload[kCommand + 1] = 1 + payload[kCommand + 1] % 2;
    const std::size_t size = payload.size() - kCommand;
    payload[kCommand + 2] = payload[kCommand + 3] = 0;
    payload[kCommand + 4] = static_cast<std::uint8_t>(size >> 8);
    payload[kCommand + 5] = static_cast<std::uint8_t>(size);
  }

  static void send(Player& player, const Request& request, proto::Bytes payload) {
    if (player.link->closed()) return;
    proto::Buffer frame;
    const std::size_t start = proto::begin_frame(frame, request.rule.type, ++player.last);
    frame.insert(frame.end(), payload.begin(), payload.end());
    proto::end_frame(frame, start);
    player.open.emplace(player.last, &request);
    player.link->send_from_client(frame);
  }

  void answer() {
    const std::uint8_t which = script_.u8();
    auto& waiting = bench_.sink.outstanding;
    if (waiting.empty()) return;
    const ClientCommand& command = *waiting[which % waiting.size()];
    bench_.sink.answer(command.context(), command.request(), tpm_message(0));
  }

  void pass_time() {
    bench_.environment.time += std::chrono::milliseconds(100) * script_.u8();
    bench_.server.tick();
  }

  void hang_up() {
    const std::uint8_t which = script_.u8();
    if (!players_.empty()) players_[which % players_.size()].link->hang_up();
  }

  void change_device() {
    const std::uint8_t how = script_.u8();
    constexpr std::array kStates = {proto::DeviceState::Starting, proto::DeviceState::Ready,
                                    proto::DeviceState::Down};
    bench_.sink.view.state = kStates[how % 3];
    bench_.environment.short_of_memory = how % 16 == 15;
    bench_.environment.has_random = how % 32 != 17;
    if (bench_.sink.view.state != proto::DeviceState::Starting) bench_.server.device_changed();
  }

  void settle() {
    bench_.environment.run_posted();
    for (auto& [offset, handler] : std::exchange(bench_.firmware.logs, {})) {
      handler(firmware::LogBytes{.more = true, .bytes = {1, 2, 3}});
    }
    for (auto& [request, handler] : std::exchange(bench_.firmware.presences, {})) {
      handler(proto::Buffer{0, 0, 0, 0});
    }
    for (auto& [name, handler] : std::exchange(bench_.firmware.owner_auths, {})) {
      handler(proto::Buffer{7});
    }
    for (Player& player : players_) {
      for (const Received& frame : player.link->take()) check(player, frame);
    }
  }

  static void check(Player& player, const Received& frame) {
    if (frame.type == proto::Type::Refusal) {
      require(proto::decode<proto::Refusal>(frame.payload).has_value());
      return;
    }
    const auto asked = player.open.find(frame.request_id);
    require(asked != player.open.end());
    require(frame.type == asked->second->reply);
    require(asked->second->is_readable(frame.payload));
    player.open.erase(asked);
  }

  void end() {
    for (Player& player : players_) player.link->hang_up();
    while (!bench_.sink.outstanding.empty() || !bench_.environment.posted.empty()) {
      if (!bench_.sink.outstanding.empty()) bench_.sink.answer(tpm_message(0));
      settle();
    }
    const auto& admission = bench_.server.admission();
    require(admission.connections().size() == 0 && admission.contexts().size() == 0);
    require(bench_.server.backlog().total() == 0 && bench_.server.held_up() == 0);
    require(bench_.sink.open.empty());
    require(!bench_.server.next_deadline());
  }

  proto::ByteReader script_;
  ServerBench bench_;
  std::vector<Player> players_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Handlers({data, size}).run();
  return 0;
}
