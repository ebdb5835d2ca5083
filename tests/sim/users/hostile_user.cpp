#include "tests/sim/users/hostile_user.h"

#include <array>
#include <utility>

#include "proto/message_codec.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/sim/simulation.h"

namespace tbs::sim {
namespace {

using proto::Buffer;
using tpm::CommandBuilder;
namespace cc = tpm::cc;

constexpr std::uint32_t kNormal = 200;
constexpr std::array<std::uint8_t, 9> kPassword = {0x40, 0, 0, 9, 0, 0, 1, 0, 0};
constexpr std::array<std::uint8_t, 11> kWrongPassword = {0x40, 0, 0, 9, 0, 0, 1, 0, 2, 1, 2};
// A hello is waited for this long, and a little.
constexpr Time kPatience = 5 * kSecond;
constexpr Time kSoon = 5 * kSecond;
constexpr std::size_t kFlood = std::size_t{32} << 10;

// Takes long to be refused, and much room until then.
Buffer long_command() {
  return CommandBuilder(cc::kGetRandom).bytes(Buffer(4000)).finish();
}

}  // namespace

HostileUser::HostileUser(Simulation& simulation, const UserPlan& plan)
    : sim_(simulation),
      plan_(plan),
      random_(Random(simulation.plan().seed).fork(plan.number + 1)) {}

void HostileUser::attack_later() {
  if (leaving_) return;
  sim_.world.after(random_.between(1, 90) * kSecond, [this] {
    if (!leaving_) attack();
  });
}

void HostileUser::attack() {
  must_fail_ = false;
  switch (random_.below(10)) {
    case 0:
    case 1:
      return malformed();
    case 2:
      return out_of_place();
    case 3:
      return silent();
    case 4:
      return guess_handles();
    case 5:
      return fail_authorizations();
    case 6:
      return guess_token();
    case 7:
      return reach_for_counters();
    default:
      return flood();
  }
}

void HostileUser::connect(std::function<void()> then) {
  requests_ = 0;
  then_ = std::move(then);
  link_ = std::make_shared<Link>(
      sim_, sim_.next_link(),
      Link::Events{.frame = [this](const proto::Frame& frame) { on_frame(frame); },
                   .closed = [] {}});
  link_->connect(plan_.uid, server::everybodys_profile());
  if (then_) link_->send(++requests_, proto::Hello{});
}

// Closes it after that time, or finds that the daemon has.
void HostileUser::end_soon(Time delay, Expected expected) {
  const Time begun = sim_.world.now();
  sim_.world.after(delay, [this, expected, begun, link = link_] {
    const bool wrong = expected == Expected::Closed && link->is_open();
    // A device that is being started keeps a hello waiting, and with it what is behind.
    const bool waits = then_ != nullptr;
    if (wrong && !waits && sim_.world.now() < attacked_ + kSoon / 2) {
      return end_soon(kSoon, expected);
    }
    const bool excused = waits && (sim_.troubled_since(begun) || sim_.last_restart() >= begun);
    if (wrong && !excused) {
      sim_.world.broken("hostile-refused", "still connected after " + doing_);
    }
    link->close();
    attack_later();
  });
}

void HostileUser::malformed() {
  Buffer bytes;
  proto::ByteWriter writer(bytes);
  const std::uint64_t how = random_.below(6);
  doing_ = "malformed frame " + std::to_string(how);
  writer.le16(how == 0 ? 7 : 1);
  writer.le16(how == 1   ? 0x7777
              : how == 2 ? 0x8002
              : how == 3 ? 0x0003
                         : static_cast<std::uint16_t>(0x0002));
  writer.le32(how == 3   ? 5
              : how == 4 ? 0xFFFFFFF0
              : how == 5 ? 3
                         : static_cast<std::uint32_t>(random_.between(20, 40)));
  writer.le64(random_.next());
  for (std::uint64_t i = random_.below(64); i > 0; --i) {
    writer.u8(static_cast<std::uint8_t>(random_.next()));
  }
  // In pieces of any size.
  const std::size_t cut = random_.below(bytes.size());
  const auto send = [this, cut, bytes] {
    link_->send_bytes(proto::Bytes(bytes).first(cut));
    sim_.world.after(random_.between(1, 5000) * kMicrosecond, [link = link_, bytes, cut] {
      link->send_bytes(proto::Bytes(bytes).subspan(cut));
    });
  };
  const bool hello = random_.one_in(2);
  connect(hello ? std::function<void()>(send) : nullptr);
  if (!hello) send();
  end_soon(kSoon, Expected::Closed);
}

void HostileUser::out_of_place() {
  const std::uint64_t how = random_.below(4);
  doing_ = "message out of place " + std::to_string(how);
  switch (how) {
    case 0:
      connect(nullptr);
      link_->send(1, proto::Submit{.command = tpm::build::get_random(8)});
      break;
    case 1:
      connect([this] { link_->send(2, proto::Hello{}); });
      break;
    case 2:
      connect([this] {
        for (int i = 0; i < 2; ++i) {
          link_->send(5, proto::Submit{.command = tpm::build::self_test()});
        }
      });
      break;
    default:
      connect(nullptr);
      then_ = [this] { link_->send(2, proto::Submit{.command = tpm::build::get_random(8)}); };
      link_->send(1, proto::Hello{.role = proto::Role::Observer});
  }
  // The first one may have been answered before the second one is looked at.
  end_soon(kSoon, how == 2 ? Expected::Nothing : Expected::Closed);
}

void HostileUser::silent() {
  doing_ = "silence";
  connect(nullptr);
  if (random_.one_in(2)) link_->send_bytes(Buffer{1, 0, 1});
  end_soon(2 * kPatience + kSoon, Expected::Closed);
}

void HostileUser::submit(Buffer command, std::uint32_t priority) {
  link_->send(++requests_, proto::Submit{.priority = priority, .command = command});
}

void HostileUser::guess_handles() {
  doing_ = "handles that it has not got";
  must_fail_ = true;
  connect([this] { send_guesses(); });
  end_soon(30 * kSecond, Expected::Nothing);
}

void HostileUser::send_guesses() {
  for (std::uint64_t i = random_.between(1, 12); i > 0; --i) {
    const std::uint32_t handle =
        tpm::kTransientFirst + static_cast<std::uint32_t>(random_.below(5));
    Buffer digest(8);
    switch (random_.below(5)) {
      case 0:
        submit(CommandBuilder(cc::kSign)
                   .handle(handle)
                   .authorization(kPassword)
                   .sized(digest)
                   .finish(),
               kNormal);
        continue;
      case 1:
        submit(tpm::build::read_public(handle), kNormal);
        continue;
      case 2:
        submit(tpm::build::context_save(handle), kNormal);
        continue;
      default:
        break;
    }
    if (random_.one_in(6)) {
      // One that measures the machine.
      submit(CommandBuilder(cc::kPcrExtend)
                 .handle(static_cast<std::uint32_t>(random_.below(16)))
                 .authorization(kPassword)
                 .u32(1)
                 .u16(TPM2_ALG_SHA1)
                 .bytes(Buffer(20))
                 .finish(),
             kNormal);
      continue;
    }
    guess_session();
  }
}

void HostileUser::guess_session() {
  if (sim_.board.sessions.empty()) return;
  const Board::Session& session = sim_.board.sessions[random_.below(sim_.board.sessions.size())];
  // Its own user's it may load.
  if (session.uid == plan_.uid) return;
  if (!session.saved.empty() && random_.one_in(2)) {
    return submit(tpm::build::context_load(session.saved), kNormal);
  }
  switch (random_.below(3)) {
    case 0:
      return submit(tpm::build::context_save(session.handle), kNormal);
    case 1:
      return submit(tpm::build::flush_context(session.handle), kNormal);
    default:
      return submit(CommandBuilder(TPM2_CC_PolicyGetDigest).handle(session.handle).finish(),
                    kNormal);
  }
}

void HostileUser::reach_for_counters() {
  doing_ = "counters of others";
  must_fail_ = true;
  connect([this] {
    for (const auto& [index, uid] : sim_.board.counters) {
      if (uid == plan_.uid) continue;
      const std::uint32_t by = random_.one_in(3) ? index : tpm::kRhOwner;
      const bool removes = by != index && random_.one_in(2);
      submit(CommandBuilder(removes ? cc::kUndefineSpace : cc::kNvIncrement)
                 .handle(by)
                 .handle(index)
                 .authorization(kPassword)
                 .finish(),
             kNormal);
    }
  });
  end_soon(30 * kSecond, Expected::Nothing);
}

void HostileUser::fail_authorizations() {
  doing_ = "wrong passwords";
  connect([this] {
    for (std::uint64_t i = random_.between(1, 8); i > 0; --i) {
      submit(CommandBuilder(cc::kCreatePrimary)
                 .handle(tpm::kRhOwner)
                 .authorization(kWrongPassword)
                 .sized({})
                 .sized({})
                 .sized({})
                 .u32(0)
                 .finish(),
             kNormal);
    }
  });
  end_soon(30 * kSecond, Expected::Nothing);
}

void HostileUser::guess_token() {
  doing_ = "a guessed token";
  connect([this] {
    Buffer token(proto::kTokenSize);
    for (std::uint8_t& byte : token) byte = static_cast<std::uint8_t>(random_.next());
    std::uint64_t context = random_.below(40);
    if (!sim_.board.contexts.empty()) {
      const auto& seen = sim_.board.contexts[random_.below(sim_.board.contexts.size())];
      context = seen.number;
      // It is no guess any more, and of no use to another user.
      if (seen.uid != plan_.uid && random_.one_in(2)) token = seen.token;
    }
    link_->send(++requests_, proto::InheritObjects{.context = context, .token = token});
  });
  end_soon(10 * kSecond, Expected::Nothing);
}

void HostileUser::flood() {
  doing_ = "a flood";
  if (random_.one_in(3)) return flood_on();
  connect([this] {
    if (random_.one_in(2)) link_->read_nothing(true);
    const std::uint64_t count = random_.between(40, 400);
    const std::uint64_t how = random_.below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (how == 0) link_->send(++requests_, proto::ListContexts{});
      if (how == 1) link_->send(++requests_, proto::Cancel{});
      if (how == 2 && i % 4 == 0) submit(tpm::build::get_random(8), kNormal);
    }
  });
  end_soon(random_.between(1, 60) * kSecond, Expected::Nothing);
}

// As much as is taken, without reading what comes back.
void HostileUser::flood_on() {
  connect([this] {
    link_->read_nothing(true);
    const auto more = [this, link = link_, how = random_.below(3)](auto&& again) -> void {
      if (!link->is_open()) return;
      sim_.check_memory();
      while (link->unsent() < kFlood) {
        if (how == 0) link->send(++requests_, proto::ListContexts{});
        if (how == 1) link->send(++requests_, proto::Cancel{});
        if (how == 2) {
          link->send(++requests_, proto::Submit{.priority = kNormal, .command = long_command()});
        }
      }
      sim_.world.after(20 * kMillisecond, [again] { again(again); });
    };
    more(more);
  });
  end_soon(random_.between(1, 8) * kSecond, Expected::Nothing);
}

void HostileUser::on_frame(const proto::Frame& frame) {
  if (frame.type == proto::Type::HelloReply && then_) {
    attacked_ = sim_.world.now();
    if (const auto then = std::exchange(then_, nullptr)) then();
    return;
  }
  if (frame.type == proto::Type::InheritObjectsReply) {
    const auto reply = proto::decode<proto::InheritObjectsReply>(frame.payload);
    if (reply && reply->status == proto::Status::Success) {
      sim_.world.broken("no-crossing", "a guessed token was taken");
    }
  }
  if (frame.type != proto::Type::Result) return;
  const auto result = proto::decode<proto::Result>(frame.payload);
  if (!result || result->status != proto::Status::Success) return;
  const auto header = proto::read_tpm_header(result->response);
  if (header && tpm::is_auth_fail(header->code)) ++sim_.board.failures[plan_.uid];
  if (must_fail_ && header && header->code == tpm::rc::kSuccess) {
    sim_.world.broken("no-crossing", "what belongs to others could be used");
  }
}

void HostileUser::check_end() {
  if (link_ != nullptr) link_->close();
}

}  // namespace tbs::sim
