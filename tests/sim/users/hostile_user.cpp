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
  switch (random_.below(8)) {
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
    // A device that is being started keeps a hello waiting, and with it what is behind.
    const bool excused = sim_.troubled_since(begun) || sim_.last_restart() + kPatience >= begun;
    if (expected == Expected::Closed && link->is_open() && !excused) {
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
    if (sim_.board.sessions.empty()) continue;
    const Board::Session& session = sim_.board.sessions[random_.below(sim_.board.sessions.size())];
    // Its own user's it may load.
    if (session.uid == plan_.uid) continue;
    if (!session.saved.empty()) {
      submit(tpm::build::context_load(session.saved), kNormal);
    } else if (random_.one_in(2)) {
      submit(tpm::build::context_save(session.handle), kNormal);
    } else {
      submit(CommandBuilder(TPM2_CC_PolicyGetDigest).handle(session.handle).finish(), kNormal);
    }
  }
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
    link_->send(++requests_, proto::InheritObjects{.context = random_.below(40), .token = token});
  });
  end_soon(10 * kSecond, Expected::Nothing);
}

void HostileUser::flood() {
  doing_ = "a flood";
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

void HostileUser::on_frame(const proto::Frame& frame) {
  if (frame.type == proto::Type::HelloReply && then_) {
    if (const auto then = std::exchange(then_, nullptr)) then();
    return;
  }
  if (frame.type == proto::Type::InheritObjectsReply) {
    const auto reply = proto::decode<proto::InheritObjectsReply>(frame.payload);
    if (reply && reply->status == proto::Status::Success) {
      sim_.world.broken("no-crossing", "a guessed token was taken");
    }
  }
  if (frame.type != proto::Type::Result || !must_fail_) return;
  const auto result = proto::decode<proto::Result>(frame.payload);
  if (!result || result->status != proto::Status::Success) return;
  const auto header = proto::read_tpm_header(result->response);
  if (header && header->code == tpm::rc::kSuccess) {
    sim_.world.broken("no-crossing", "what belongs to others could be used");
  }
}

void HostileUser::check_end() {
  if (link_ != nullptr) link_->close();
}

}  // namespace tbs::sim
