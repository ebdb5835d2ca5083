#include "client/tbsctl/bridge/bridge.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/tbsctl/bridge/peer.h"

namespace tbs::ctl::bridge {
namespace {

// Of one channel; further clients wait in the kernel until one leaves.
constexpr std::size_t kMaxConnections = 256;
// After accept() found that descriptors or memory are short.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::uint64_t kOneProgram = 0;
// With the number of a user: those programs whose process is not known.
constexpr std::uint64_t kProgramOfUser = std::uint64_t{1} << 32U;
constexpr uid_t kUnknownUser = static_cast<uid_t>(-1);
constexpr int kPortChoices = 50;

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

std::string_view ending_of_second(BridgeProtocol protocol) {
  return protocol == BridgeProtocol::Swtpm ? ".ctrl" : ".platform";
}

}  // namespace

Bridge::Bridge(const BridgeOptions& options, std::string daemon_socket, std::ostream& log)
    : options_(options), log_(log) {
  // Before there is a second thread, so that all block them.
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = client::Descriptor::open(
      [&] { return ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK); });
  if (!signals_.valid()) throw std::system_error(errno, std::generic_category(), "signalfd");
  access_.reactor = std::make_shared<Reactor>();
  access_.helper = std::make_shared<HelperThread>(access_.reactor);
  access_.socket = std::move(daemon_socket);
  access_.priority = options.priority;
  access_.reopens = options.persistent;
  if (options.persistent) shared_ = std::make_shared<TpmContext>(access_);
}

Bridge::~Bridge() {
  for (const Listener& listener : listeners_) {
    const Address& address = listener.listening.address;
    if (address.unix_socket()) ::unlink(address.path.c_str());
  }
}

std::expected<std::vector<Address>, std::string> Bridge::listen() {
  const auto first = parse_address(options_.listen);
  if (!first) return std::unexpected(first.error());
  auto listening = listen_at_both(*first);
  // The system chose the first port, and the one beside it is somebody else's: it chooses again.
  for (int again = 0; !listening && first->port == 0 && again < kPortChoices; ++again) {
    listening = listen_at_both(*first);
  }
  if (!listening) return std::unexpected(listening.error());
  std::vector<Address> addresses;
  addresses.reserve(listeners_.size());
  for (const Listener& listener : listeners_) addresses.push_back(listener.listening.address);
  return addresses;
}

std::expected<void, std::string> Bridge::listen_at_both(const Address& first) {
  for (const Listener& listener : listeners_) reactor().forget(listener.listening.socket.get());
  listeners_.clear();
  const bool mssim = options_.protocol == BridgeProtocol::Mssim;
  const auto commands = listen_on(first, mssim ? mssim_command_framing : raw_framing);
  if (!commands || options_.protocol == BridgeProtocol::Raw) return commands;
  const Address& listening = listeners_.front().listening.address;
  auto second = beside(listening, ending_of_second(options_.protocol));
  if (!options_.control.empty()) {
    const auto named = parse_address(options_.control);
    if (!named) return std::unexpected(named.error());
    second = *named;
  }
  if (!second) return std::unexpected("there is no address beside " + to_string(listening));
  return listen_on(*second, mssim ? mssim_platform_framing : swtpm_control_framing);
}

std::expected<void, std::string> Bridge::listen_on(const Address& address,
                                                   MakeFraming make_framing) {
  if (!options_.listen_any && !is_local(address)) {
    return std::unexpected("other machines could reach " + to_string(address) +
                           " and use the TPM without any check; --listen-any allows it");
  }
  auto listening = listen_at(address, options_.mode);
  if (!listening) return std::unexpected(listening.error());
  const std::size_t index = listeners_.size();
  reactor().watch(listening->socket.get(), EPOLLIN,
                  [this, index](std::uint32_t) { accept_on(index); });
  listeners_.push_back({.listening = *std::move(listening), .make_framing = make_framing});
  return {};
}

void Bridge::run() {
  reactor().watch(signals_.get(), EPOLLIN, [this](std::uint32_t) {
    // Taken before it is let through, or this one would end the process too.
    signalfd_siginfo taken{};
    if (::read(signals_.get(), &taken, sizeof taken) != sizeof taken) return;
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    reactor().stop();
  });
  reactor().run();
}

void Bridge::accept_on(std::size_t index) {
  Listener& listener = listeners_[index];
  auto socket = client::Descriptor::open([&] {
    return ::accept4(listener.listening.socket.get(), nullptr, nullptr,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);
  });
  if (!socket.valid()) {
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    reactor().change(listener.listening.socket.get(), 0);
    listener.paused = true;
    return reactor().after(kAcceptPause, [this, index] { resume(index); });
  }
  const int on = 1;
  // Fails for a Unix socket, which needs no such thing.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto connection = std::make_shared<Connection>(
      std::move(socket), listener.make_framing(),
      shared_ ? shared_ : std::make_shared<TpmContext>(access_), static_cast<Host&>(*this));
  connections_[connection.get()] = {
      .connection = connection, .listener = index, .program = std::nullopt};
  connection->start();
  if (++listener.connections < kMaxConnections) return;
  reactor().change(listener.listening.socket.get(), 0);
  listener.paused = true;
}

void Bridge::resume(std::size_t index) {
  Listener& listener = listeners_[index];
  if (!listener.paused || listener.connections >= kMaxConnections) return;
  listener.paused = false;
  reactor().change(listener.listening.socket.get(), EPOLLIN);
}

Bridge::ProgramId Bridge::program_of(Connection& connection) {
  if (options_.persistent) return kOneProgram;
  auto& program = connections_.at(&connection).program;
  if (!program) {
    const auto process = peer_process(connection.socket());
    program = process ? static_cast<ProgramId>(*process)
                      : kProgramOfUser | peer_user(connection.socket()).value_or(kUnknownUser);
  }
  return *program;
}

void Bridge::cancel_for(Connection& of) {
  const ProgramId program = program_of(of);
  for (const auto& [each, entry] : connections_) {
    if (program_of(*each) == program) each->cancel();
  }
}

Program* Bridge::known_program(Connection& of) {
  if (programs_.empty()) return nullptr;  // mostly, and spares the look into /proc
  const auto found = programs_.find(program_of(of));
  return found == programs_.end() ? nullptr : &found->second;
}

void Bridge::power_off_for(Connection& of) {
  program(of).power.cycle();
  if (shared_) return shared_->power_off();
  const ProgramId id = program_of(of);
  for (const auto& [each, entry] : connections_) {
    if (program_of(*each) == id) each->power_off();
  }
}

// They are known as long as a connection of theirs is open; the kernel may give the number of a
// process to another one then.
void Bridge::forget_programs() {
  if (options_.persistent || programs_.empty()) return;
  std::erase_if(programs_, [this](const auto& known) {
    return std::ranges::none_of(connections_, [&](const auto& connection) {
      return program_of(*connection.first) == known.first;
    });
  });
}

void Bridge::ended(Connection& gone, const std::string& why) {
  if (!why.empty()) log_ << "tbsctl: a client is disconnected: " << why << '\n' << std::flush;
  const auto found = connections_.find(&gone);
  const std::size_t index = found->second.listener;
  connections_.erase(found);
  --listeners_[index].connections;
  resume(index);
  forget_programs();
}

}  // namespace tbs::ctl::bridge
