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

// For the commands, and for the second channel; null where there is none.
std::pair<MakeFraming, MakeFraming> framings_of(BridgeProtocol protocol) {
  switch (protocol) {
    case BridgeProtocol::Mssim:
      return {mssim_command_framing, mssim_platform_framing};
    case BridgeProtocol::Swtpm:
      return {raw_framing, swtpm_control_framing};
    case BridgeProtocol::Raw:
      break;
  }
  return {raw_framing, nullptr};
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
    const auto& [socket, address, inherited] = listener.listening;
    if (address.unix_socket() && !inherited) ::unlink(address.path.c_str());
  }
}

std::expected<std::vector<Address>, std::string> Bridge::listen(std::vector<Listening> inherited) {
  const auto done = inherited.empty() ? listen_at_options() : take_over(std::move(inherited));
  if (!done) return std::unexpected(done.error());
  std::vector<Address> addresses;
  addresses.reserve(listeners_.size());
  for (const Listener& listener : listeners_) addresses.push_back(listener.listening.address);
  return addresses;
}

std::expected<void, std::string> Bridge::listen_at_options() {
  const auto first = parse_address(options_.listen);
  if (!first) return std::unexpected(first.error());
  auto listening = listen_at_both(*first);
  // The system chose the first port, and the one beside it is somebody else's: it chooses again.
  for (int again = 0; !listening && first->port == 0 && again < kPortChoices; ++again) {
    listening = listen_at_both(*first);
  }
  return listening;
}

std::expected<void, std::string> Bridge::listen_at_both(const Address& first) {
  for (const Listener& listener : listeners_) reactor().forget(listener.listening.socket.get());
  listeners_.clear();
  const auto [commands_framing, control_framing] = framings_of(options_.protocol);
  const auto commands = listen_on(first, commands_framing);
  if (!commands || control_framing == nullptr) return commands;
  const Address& listening = listeners_.front().listening.address;
  auto second = beside(listening, ending_of_second(options_.protocol));
  if (!options_.control.empty()) {
    const auto named = parse_address(options_.control);
    if (!named) return std::unexpected(named.error());
    second = *named;
  }
  if (!second) return std::unexpected("there is no address beside " + to_string(listening));
  return listen_on(*second, control_framing);
}

std::expected<void, std::string> Bridge::listen_on(const Address& address,
                                                   MakeFraming make_framing) {
  if (auto reach = check_reach(address); !reach) return reach;
  auto listening = listen_at(address, options_.mode);
  if (!listening) return std::unexpected(listening.error());
  serve(*std::move(listening), make_framing);
  return {};
}

std::expected<void, std::string> Bridge::take_over(std::vector<Listening> inherited) {
  const auto [commands, control] = framings_of(options_.protocol);
  const std::size_t channels = control == nullptr ? 1 : 2;
  if (inherited.size() != channels) {
    return std::unexpected("the protocol takes " + std::to_string(channels) + " sockets, and " +
                           std::to_string(inherited.size()) +
                           " were handed over; the unit has a ListenStream= for each");
  }
  for (Listening& each : inherited) {
    if (auto reach = check_reach(each.address); !reach) return reach;
    serve(std::move(each), listeners_.empty() ? commands : control);
  }
  return {};
}

std::expected<void, std::string> Bridge::check_reach(const Address& address) const {
  if (options_.listen_any || is_local(address)) return {};
  return std::unexpected("other machines could reach " + to_string(address) +
                         " and use the TPM without any check; --listen-any allows it");
}

void Bridge::serve(Listening listening, MakeFraming make_framing) {
  const std::size_t index = listeners_.size();
  reactor().watch(listening.socket.get(), EPOLLIN,
                  [this, index](std::uint32_t) { accept_on(index); });
  listeners_.push_back({.listening = std::move(listening), .make_framing = make_framing});
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
