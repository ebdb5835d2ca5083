#include "client/tbsctl/bridge/connection.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "client/tbsctl/bridge/peer.h"
#include "client/tbsctl/bridge/power_state.h"
#include "client/tbsctl/bridge/tpm_answer.h"

namespace tbs::ctl::bridge {
namespace {

using proto::Status;

constexpr std::size_t kReadAtOnce = 4096;
// How often to look whether a client that sends nothing more still waits for its answer.
constexpr std::chrono::milliseconds kDepartureInterval{200};

// The TPM is lost to this client, as if it had been pulled out: there is no response to give.
bool is_loss(Status status) {
  switch (status) {
    case Status::ServiceNotRunning:
    case Status::ServiceStartPending:
    case Status::ServiceDisabled:
    case Status::TpmNotFound:
    case Status::TooManyContexts:
      return true;
    default:
      return false;
  }
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Connection::Connection(client::Descriptor socket, std::unique_ptr<Framing> framing,
                       std::shared_ptr<TpmContext> context, Host& host)
    : socket_(std::move(socket)),
      framing_(std::move(framing)),
      context_(std::move(context)),
      host_(host) {}

void Connection::start() {
  interest_ = EPOLLIN;
  host_.reactor().watch(socket_.get(), interest_, [self = weak_from_this()](std::uint32_t events) {
    if (const auto connection = self.lock()) connection->on_events(events);
  });
}

void Connection::on_events(std::uint32_t events) {
  // Both directions are closed: nobody takes an answer any more.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return end();
  if ((events & EPOLLIN) != 0 && !read_some()) return;
  if ((events & EPOLLRDHUP) != 0 && busy_) on_half_closed();
  if (!ended_ && flush()) process();
}

bool Connection::read_some() {
  if (busy_ || !output_.empty()) return true;
  std::array<std::uint8_t, kReadAtOnce> chunk;
  const ssize_t count = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
  if (count < 0 && would_block()) return true;
  if (count < 0) return end("cannot read: " + std::generic_category().message(errno)), false;
  if (count == 0) half_closed_ = true;
  framing_->feed(proto::Bytes(chunk).first(static_cast<std::size_t>(count)));
  return true;
}

void Connection::process() {
  while (!ended_ && !busy_ && output_.empty()) {
    Wish wish = framing_->next();
    if (std::holds_alternative<Nothing>(wish)) {
      if (half_closed_) return end();
      break;
    }
    if (!grant(wish)) return;
  }
  if (!ended_) update_interest();
}

// False when the connection has ended.
bool Connection::grant(Wish& wish) {
  if (const auto* run = std::get_if<Execute>(&wish)) {
    execute(*run);
  } else if (auto* reply = std::get_if<Reply>(&wish)) {
    answer(reply->bytes);
  } else if (auto* stop = std::get_if<Cancel>(&wish)) {
    host_.cancel_for(*this);
    answer(stop->answer);
  } else if (auto* use = std::get_if<UseLocality>(&wish)) {
    host_.program(*this).locality = use->locality;
    answer(use->answer);
  } else if (auto* off = std::get_if<PowerOff>(&wish)) {
    host_.power_off_for(*this);
    answer(off->answer);
  } else if (auto* broken = std::get_if<Broken>(&wish)) {
    answer(broken->answer);
    if (!ended_) end(broken->why);
  } else {
    end();
  }
  return !ended_;
}

void Connection::execute(const Execute& wish) {
  Program* const program = host_.known_program(*this);
  if (program != nullptr) {
    if (const auto response = program->power.answer(wish.command)) {
      if (shows_started(wish.command, *response)) context_->note_started();
      return answer(framing_->pack(*response));
    }
  }
  busy_ = true;
  command_.assign(wish.command.begin(), wish.command.end());
  const std::uint8_t set = program != nullptr ? program->locality : std::uint8_t{0};
  const std::uint32_t locality = wish.has_locality ? wish.locality : set;
  context_->submit(this, {.bytes = command_, .locality = locality},
                   [self = weak_from_this()](Status status, proto::Buffer response) {
                     const auto connection = self.lock();
                     if (connection) connection->on_done(status, std::move(response));
                   });
}

void Connection::on_done(Status status, proto::Buffer response) {
  if (ended_) return;
  busy_ = false;
  if (is_loss(status)) {
    return end("tbsd does not serve it: " + std::string(proto::status_text(status)) + " (" +
               std::string(proto::status_name(status)) + ")");
  }
  if (status == Status::Success) {
    adapt(response);
  } else {
    response = answer_for(command_, status);
  }
  answer(framing_->pack(response));
  if (!ended_) process();
}

void Connection::adapt(proto::Buffer& response) {
  if (const auto resume = prepares_resume(command_, response)) {
    host_.program(*this).power.prepared(*resume);
  }
  adapt_response(command_, response);
  if (context_->started()) return;
  if (auto first = answer_to_first_start(command_, response)) response = *std::move(first);
  if (shows_started(command_, response)) context_->note_started();
}

void Connection::cancel() {
  if (busy_) context_->cancel(this);
}

void Connection::answer(const proto::Buffer& bytes) {
  output_.insert(output_.end(), bytes.begin(), bytes.end());
  flush();
}

// True when nothing is left to write.
bool Connection::flush() {
  while (written_ < output_.size()) {
    const auto left = proto::Bytes(output_).subspan(written_);
    const ssize_t count = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && would_block()) return update_interest(), false;
    if (count < 0) return end(), false;
    written_ += static_cast<std::size_t>(count);
  }
  output_.clear();
  written_ = 0;
  return true;
}

// The client closed its side while its command runs. Whether it waits for the answer, or is gone, a
// Unix socket tells (EPOLLHUP); for TCP the peer's socket has to be looked for.
void Connection::on_half_closed() {
  half_closed_ = true;
  update_interest();
  if (!is_unix_socket(socket_.get())) watch_departure();
}

void Connection::watch_departure() {
  if (!busy_ || ended_) return;
  if (!peer_is_open(socket_.get())) return end();
  host_.reactor().after(kDepartureInterval, [self = weak_from_this()] {
    if (const auto connection = self.lock()) connection->watch_departure();
  });
}

void Connection::update_interest() {
  std::uint32_t wanted = 0;
  if (!output_.empty()) {
    wanted = EPOLLOUT;
  } else if (!half_closed_) {
    wanted = busy_ ? EPOLLRDHUP : EPOLLIN;
  }
  if (wanted == interest_) return;
  interest_ = wanted;
  host_.reactor().change(socket_.get(), wanted);
}

void Connection::end(const std::string& why) {
  if (std::exchange(ended_, true)) return;
  const auto self = shared_from_this();
  host_.reactor().forget(socket_.get());
  if (busy_) context_->withdraw(this);
  host_.ended(*this, why);
}

}  // namespace tbs::ctl::bridge
