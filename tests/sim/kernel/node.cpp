#include "tests/sim/kernel/node.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/epoll.h>

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::sim {

class Node final : public File, public std::enable_shared_from_this<Node> {
 public:
  explicit Node(Chip& chip) : chip_(chip) {}

  Moved read(std::span<std::uint8_t> to) override;
  Moved write(std::span<const std::uint8_t> command) override;
  [[nodiscard]] std::uint32_t ready() override;
  void watched() override {
    if (state_ == State::Running) touched("epoll_ctl");
    in_loop_ = true;
  }
  void new_process() { in_loop_ = false; }
  void die() {
    dead_ = true;
    if (state_ == State::Running) finish({});
    wake();
  }
  [[nodiscard]] bool running() const { return state_ == State::Running; }

 private:
  enum class State : std::uint8_t { Idle, Running, Done };

  // A thread that may block is not the loop's: it has the node before it comes into the loop.
  void touched(const char* call) {
    if (in_loop_) world().broken("busy-node", std::string(call) + " while a command runs");
    chip_.kernel_.block_until(end_);
  }
  World& world() { return chip_.kernel_.world(); }
  void run(std::span<const std::uint8_t> command, std::uint32_t code);
  void finish(proto::Buffer response);

  Chip& chip_;
  State state_ = State::Idle;
  bool in_loop_ = false;
  bool dead_ = false;
  bool started_ = false;
  int error_ = 0;
  Time end_ = 0;
  std::uint64_t number_ = 0;
  proto::Buffer response_;
};

File::Moved Node::read(std::span<std::uint8_t> to) {
  if (state_ == State::Running) touched("read");
  if (dead_) return std::unexpected(ENODEV);
  if (state_ == State::Idle) return std::unexpected(EAGAIN);
  state_ = State::Idle;
  if (const int error = std::exchange(error_, 0)) return std::unexpected(error);
  const std::size_t count = std::min(to.size(), response_.size());
  std::copy_n(response_.begin(), count, to.begin());
  return count;
}

File::Moved Node::write(std::span<const std::uint8_t> command) {
  if (state_ == State::Running) touched("write");
  if (dead_) return std::unexpected(ENODEV);
  if (state_ != State::Idle) {
    if (in_loop_) world().broken("busy-node", "a command before the response was read");
    return std::unexpected(EBUSY);
  }
  const auto header = proto::read_tpm_header(command);
  if (!header) {
    world().broken("unknown-tpm", "bytes that are no command");
    return std::unexpected(EINVAL);
  }
  // A node that was just opened is of a TPM of which nothing is known.
  if (!std::exchange(started_, true) && header->code != tpm::cc::kStartup) {
    world().broken("unknown-tpm", "the first command is not TPM2_Startup");
  }
  run(command, header->code);
  return command.size();
}

void Node::run(std::span<const std::uint8_t> command, std::uint32_t code) {
  world().trace("tpm", ++chip_.commands_, command);
  const Time took = chip_.duration(code);
  if (chip_.begins) chip_.begins(command, took);
  end_ = world().now() + took;
  state_ = State::Running;
  proto::Buffer response;
  if (chip_.happens(chip_.plan_.retries)) {
    response = proto::tpm_error_response(tpm::kTagNoSessions, tpm::rc::kRetry);
    ++chip_.put_off_;
  } else {
    response = chip_.run_(command);
  }
  world().at(end_, [node = weak_from_this(), number = ++number_,
                    response = std::move(response)]() mutable {
    const auto self = node.lock();
    if (self != nullptr && self->number_ == number) self->finish(std::move(response));
  });
}

void Node::finish(proto::Buffer response) {
  if (state_ != State::Running) return;
  state_ = State::Done;
  response_ = std::move(response);
  world().trace("answer", chip_.commands_, response_);
  wake();
  if (dead_) return;
  if (chip_.happens(chip_.plan_.lost)) {
    chip_.troubled(Trouble::Lost);
    response_.clear();
  } else if (chip_.happens(chip_.plan_.failed)) {
    chip_.troubled(Trouble::Failed);
    error_ = chip_.random_.one_in(2) ? EIO : ETIME;
  } else if (chip_.happens(chip_.plan_.gone)) {
    chip_.go_away(false);
  } else if (chip_.happens(chip_.plan_.resets)) {
    chip_.go_away(true);
  }
}

std::uint32_t Node::ready() {
  if (dead_) return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
  if (state_ == State::Running) touched("poll");
  return state_ == State::Done ? EPOLLIN : EPOLLOUT;
}

Chip::Chip(Kernel& kernel, ChipPlan plan, Run run, Reset reset)
    : kernel_(kernel),
      plan_(plan),
      run_(std::move(run)),
      reset_(std::move(reset)),
      random_(kernel.world().random.fork(0xC41B)) {}

std::expected<SharedFile, int> Chip::open() {
  if (!there_) return std::unexpected(ENODEV);
  if (!node_.expired()) return std::unexpected(EBUSY);
  auto node = std::make_shared<Node>(*this);
  node_ = node;
  return node;
}

void Chip::process_started() {
  if (const auto node = node_.lock()) node->new_process();
}

bool Chip::busy() const {
  const auto node = node_.lock();
  return node != nullptr && node->running();
}

bool Chip::happens(std::uint64_t one_in) {
  return one_in != 0 && random_.one_in(one_in);
}

void Chip::go_away(bool reset) {
  troubled(reset ? Trouble::Reset : Trouble::Gone);
  there_ = false;
  if (reset) reset_();
  if (const auto node = node_.lock()) node->die();
  kernel_.world().after(random_.between(1, 20'000) * kMillisecond, [this] {
    there_ = true;
    troubled(Trouble::Back);
  });
}

// As a slow discrete chip.
Time Chip::duration(std::uint32_t code) {
  const auto between = [this](Time least, Time most) {
    return random_.between(least, most) * kMicrosecond * plan_.speed / 100;
  };
  switch (code) {
    case tpm::cc::kCreatePrimary:
      return between(150'000, 900'000);
    case tpm::cc::kSign:
      return between(90'000, 140'000);
    case tpm::cc::kContextLoad:
    case tpm::cc::kContextSave:
      return between(8'000, 25'000);
    case tpm::cc::kSelfTest:
      return between(20'000, 600'000);
    default:
      return between(3'000, 12'000);
  }
}

}  // namespace tbs::sim
