#include "tests/sim/daemon.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "daemon/host/left_name.h"
#include "daemon/loop/event_loop.h"

namespace tbs::sim {
namespace {

constexpr std::string_view kRecord = "record";
constexpr int kSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

// The memory as it is now: what a killed process would still write to it must not count.
int copy_of(int memory) {
  struct stat status{};
  if (::fstat(memory, &status) != 0) return -1;
  const int copy = ::memfd_create("sim", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (copy < 0 || ::ftruncate(copy, status.st_size) != 0) std::abort();
  off_t begin = 0;
  while ((begin = ::lseek(memory, begin, SEEK_DATA)) >= 0) {
    const off_t end = ::lseek(memory, begin, SEEK_HOLE);
    while (begin < end) {
      std::array<char, 65536> part;
      const auto size =
          static_cast<std::size_t>(std::min<off_t>(end - begin, static_cast<off_t>(part.size())));
      if (::pread(memory, part.data(), size, begin) != static_cast<ssize_t>(size)) std::abort();
      if (::pwrite(copy, part.data(), size, begin) != static_cast<ssize_t>(size)) std::abort();
      begin += static_cast<off_t>(size);
    }
  }
  if (::fcntl(copy, F_ADD_SEALS, kSeals) != 0) std::abort();
  return copy;
}

}  // namespace

Store::~Store() {
  if (memory >= 0) ::close(memory);
}

// The service manager, for this process.
class Tbsd::Keeper final : public device::DescriptorKeeper {
 public:
  explicit Keeper(Tbsd& tbsd) : tbsd_(tbsd) {}

  void keep(std::string name, int descriptor) override {
    if (tbsd_.kernel_.dead()) return;
    if (name == kRecord) {
      record_ = descriptor;
    } else if (auto file = tbsd_.kernel_.file(descriptor)) {
      tbsd_.store_.files[name] = std::move(file);
    }
  }

  bool keep_first(std::string name, int descriptor, Gone go_on) override {
    World& world = tbsd_.kernel_.world();
    if (tbsd_.options_.slow_store == 0 || !world.random.one_in(tbsd_.options_.slow_store)) {
      keep(std::move(name), descriptor);
      return true;
    }
    waiting_[name] = {descriptor, std::move(go_on)};
    later([this, name] {
      const auto found = waiting_.find(name);
      if (found == waiting_.end()) return;
      auto [kept, then] = std::move(found->second);
      waiting_.erase(found);
      keep(name, kept);
      then();
    });
    return false;
  }

  void drop(std::string name, Gone gone) override {
    if (tbsd_.kernel_.dead()) return;
    waiting_.erase(name);
    if (name == kRecord) record_ = -1;
    tbsd_.store_.files.erase(name);
    if (gone) later(std::move(gone));
  }

  [[nodiscard]] int record() const { return record_; }

 private:
  // From the loop of the process, if there still is one.
  void later(Gone call) {
    World& world = tbsd_.kernel_.world();
    auto shared = std::make_shared<Gone>(std::move(call));
    world.after(world.random.between(50, 3000) * kMicrosecond,
                [this, shared, alive = std::weak_ptr<const void>(alive_)] {
                  if (alive.expired() || tbsd_.kernel_.dead()) return;
                  boost::asio::post(tbsd_.io_, [shared] { (*shared)(); });
                  tbsd_.kernel_.interrupt();
                });
  }

  Tbsd& tbsd_;
  int record_ = -1;
  std::map<std::string, std::pair<int, Gone>> waiting_;
  std::shared_ptr<const void> alive_ = std::make_shared<char>();
};

Tbsd::Tbsd(Kernel& kernel, Store& store, const Options& options)
    : kernel_(kernel),
      store_(store),
      options_(options),
      keeper_(std::make_unique<Keeper>(*this)),
      shared_{.io = io_, .turns = turns_, .accounts = accounts_, .keeper = keeper_.get()},
      service_(std::make_unique<TpmService>(shared_, options.config, "")) {}

Tbsd::~Tbsd() = default;

LeftDescriptors Tbsd::take_left() {
  LeftDescriptors left;
  left.memory = std::exchange(store_.memory, -1);
  for (const auto& [name, file] : store_.files) {
    const auto parsed = host::parse_left_name(name);
    if (!parsed) continue;
    const int descriptor = kernel_.open(file);
    if (parsed->kind == host::LeftName::Kind::Tpm) {
      left.device.push_back({.name = parsed->part, .descriptor = descriptor});
    } else {
      left.clients.emplace(parsed->number, descriptor);
    }
  }
  return left;
}

server::SharedProfile Tbsd::profile_of(const server::PeerRecord& peer) const {
  return peer.highest == server::HighestRole::Administrator ? server::administrators_profile()
                                                            : server::everybodys_profile();
}

void Tbsd::start() {
  service_->configure(options_.config, options_.rules, {});
  LeftDescriptors left = take_left();
  if (left.memory >= 0) keeper_->keep(std::string(kRecord), left.memory);
  const bool goes_on = !left.none();
  service_->start([] {}, std::move(left),
                  [this](const server::PeerRecord& peer) { return profile_of(peer); });
  if (goes_on) service_->configure(options_.config, options_.rules, {});
}

void Tbsd::accept(SharedFile socket, server::SharedProfile profile) {
  const int descriptor = kernel_.open(std::move(socket));
  boost::asio::post(io_, [this, descriptor, profile = std::move(profile)]() mutable {
    server::Connection::Socket accepted(io_);
    boost::system::error_code error;
    accepted.assign(boost::asio::local::stream_protocol(), descriptor, error);
    if (!error) service_->accept(std::move(accepted), std::move(profile));
  });
  kernel_.interrupt();
}

void Tbsd::run() {
  run_loop(io_, Duration::zero());
}

void Tbsd::killed() {
  if (store_.memory >= 0) ::close(store_.memory);
  store_.memory = keeper_->record() >= 0 ? copy_of(keeper_->record()) : -1;
  io_.stop();
}

void Tbsd::kill_after(std::uint64_t calls) {
  kernel_.kill_at(calls, [this] { killed(); });
}

void Tbsd::leave() {
  boost::asio::post(io_, [this] {
    service_->leave_behind();
    kernel_.kill_at(1, [this] { killed(); });
    kernel_.kill();
  });
  kernel_.interrupt();
}

void Tbsd::prepare_sleep() {
  service_->prepare_sleep([] {});
}

}  // namespace tbs::sim
