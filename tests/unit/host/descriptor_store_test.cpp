// Against a datagram socket of the test's own, as a service manager has it.

#include "daemon/host/descriptor_store.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/integration/support/eventually.h"
#include "tests/integration/support/temp_folder.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;
using host::DescriptorStore;

namespace {

constexpr host::StoreQueue::Limits kNoLimits{.burst = 100'000, .interval = 1ms, .clients = 100'000};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

struct Told {
  std::string text;
  std::vector<Descriptor> descriptors;
};

// The service manager's end, which reads only when it is told to.
class Manager {
 public:
  explicit Manager(const std::string& address) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::memcpy(own.sun_path, address.data(), address.size());
    if (address.front() == '@') own.sun_path[0] = '\0';
    const std::size_t size = offsetof(sockaddr_un, sun_path) + address.size();
    REQUIRE(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&own),
                   static_cast<socklen_t>(size)) == 0);
  }

  std::optional<Told> read() {
    std::array<char, 512> text{};
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(4 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_.number(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0) return std::nullopt;
    Told told{.text = std::string(text.data(), static_cast<std::size_t>(size)), .descriptors = {}};
    if (const cmsghdr* const header = CMSG_FIRSTHDR(&message)) {
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        told.descriptors.emplace_back(number);
      }
    }
    return told;
  }

 private:
  Descriptor socket_;
};

Descriptor new_file() {
  Descriptor file(::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.number() < 0) return Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
  return file;
}

bool same_file(int one, int other) {
  struct stat first{};
  struct stat second{};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

std::string stored(const std::string& name) {
  return "FDSTORE=1\nFDNAME=" + name + "\nFDPOLL=0";
}
std::string removed(const std::string& name) {
  return "FDSTOREREMOVE=1\nFDNAME=" + name;
}

struct Fixture {
  // What comes next, once the loop has had its turns.
  std::optional<Told> next() {
    std::optional<Told> told;
    test::eventually([&] {
      loop.restart();
      loop.poll();
      told = manager.read();
      return told.has_value();
    });
    return told;
  }
  std::string next_text() {
    auto told = next();
    return told ? told->text : "nothing";
  }
  void run_until(const bool& done) {
    CHECK(test::eventually([&] {
      loop.restart();
      loop.poll();
      return done;
    }));
  }

  test::TempFolder folder;
  std::string address = folder / "notify.sock";
  Manager manager{address};
  boost::asio::io_context loop;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the service manager gets the descriptor and its name", "[host][store]") {
  DescriptorStore store(loop, address, kNoLimits);
  CHECK(store.available());
  const Descriptor file = new_file();
  store.keep("record", file.number());
  const auto told = next();
  REQUIRE(told);
  CHECK(told->text == stored("record"));
  REQUIRE(told->descriptors.size() == 1);
  CHECK(same_file(told->descriptors[0].number(), file.number()));
  store.drop("record", nullptr);
  const auto then = next();
  REQUIRE(then);
  CHECK(then->text == removed("record"));
  CHECK(then->descriptors.empty());
}

TEST_CASE_METHOD(Fixture, "an abstract name is an address as well", "[host][store]") {
  const std::string name = "@" + folder.path();
  Manager abstract(name);
  DescriptorStore store(loop, name, kNoLimits);
  const Descriptor file = new_file();
  store.keep("tpm-node", file.number());
  const auto told = abstract.read();
  REQUIRE(told);
  CHECK(told->text == stored("tpm-node"));
}

TEST_CASE_METHOD(Fixture, "a service manager that does not read stops nothing, and hears all later",
                 "[host][store]") {
  DescriptorStore store(loop, address, kNoLimits);
  const Descriptor file = new_file();
  constexpr int kMany = 2000;
  for (int i = 0; i < kMany; ++i) store.keep("client-" + std::to_string(i), file.number());
  // Some are in its queue already, others are not sent yet: only these can be taken back.
  store.drop("client-1999", nullptr);
  store.drop("client-0", nullptr);
  loop.poll();
  CHECK(next_text() == stored("client-0"));
  int next_stored = 1;
  bool is_removed = false;
  while (next_stored < kMany - 1 || !is_removed) {
    const std::string text = next_text();
    if (text == removed("client-0")) {
      is_removed = true;
    } else {
      REQUIRE(text == stored("client-" + std::to_string(next_stored++)));
    }
  }
  store.keep("record", file.number());
  CHECK(next_text() == stored("record"));
}

TEST_CASE_METHOD(Fixture,
                 "who must not go on without it waits for a full queue and for nothing else",
                 "[host][store]") {
  const Descriptor file = new_file();
  unsigned gone_on = 0;
  const auto count = [&] { ++gone_on; };
  {
    DescriptorStore none(loop, std::string(), kNoLimits);
    CHECK(none.keep_first("client-1", file.number(), count));
    DescriptorStore paced(loop, address, {.burst = 1, .interval = 1h, .clients = 5});
    CHECK(paced.keep_first("client-1", file.number(), count));
    CHECK(paced.keep_first("client-2", file.number(), count));
    CHECK(next_text() == stored("client-1"));
  }
  DescriptorStore store(loop, address, kNoLimits);
  CHECK(store.keep_first("client-0", file.number(), count));
  CHECK(store.keep_first("client-0", file.number(), count));
  int kept = 1;
  while (store.keep_first("client-" + std::to_string(kept), file.number(), count)) ++kept;
  CHECK(store.keep_first("client-0", file.number(), count));
  // Who goes meanwhile hears nothing of it.
  CHECK_FALSE(store.keep_first("client-gone", file.number(), count));
  store.drop("client-gone", nullptr);
  loop.poll();
  CHECK(gone_on == 0);
  for (int i = 0; i <= kept; ++i) CHECK(next_text() == stored("client-" + std::to_string(i)));
  CHECK(test::eventually([&] {
    loop.restart();
    loop.poll();
    return gone_on > 0;
  }));
  CHECK_FALSE(manager.read());
  CHECK(gone_on == 1);
}

TEST_CASE_METHOD(Fixture, "a service manager that does not read holds nobody up for long",
                 "[host][store]") {
  DescriptorStore store(loop, address, kNoLimits);
  const Descriptor file = new_file();
  bool gone_on = false;
  int kept = 0;
  while (store.keep_first("client-" + std::to_string(kept), file.number(), [&] { gone_on = true; }))
    ++kept;
  CHECK_FALSE(gone_on);
  run_until(gone_on);
}

TEST_CASE_METHOD(Fixture, "clients beyond the burst follow one by one", "[host][store]") {
  DescriptorStore store(loop, address, {.burst = 2, .interval = 5ms, .clients = 5});
  const Descriptor file = new_file();
  for (int i = 0; i < 6; ++i) store.keep("client-" + std::to_string(i), file.number());
  for (int i = 0; i < 5; ++i) CHECK(next_text() == stored("client-" + std::to_string(i)));
  store.drop("client-2", nullptr);
  CHECK(next_text() == removed("client-2"));
  CHECK(next_text() == stored("client-5"));
}

TEST_CASE_METHOD(Fixture, "a descriptor is gone when the service manager says so",
                 "[host][store]") {
  DescriptorStore store(loop, address, kNoLimits);
  const Descriptor file = new_file();
  store.keep("tpm-node", file.number());
  REQUIRE(next_text() == stored("tpm-node"));
  bool gone = false;
  store.drop("tpm-node", [&] { gone = true; });
  CHECK(next_text() == removed("tpm-node"));
  {
    const auto barrier = next();
    REQUIRE(barrier);
    CHECK(barrier->text == "BARRIER=1");
    CHECK(barrier->descriptors.size() == 1);
    loop.poll();
    CHECK_FALSE(gone);
  }
  run_until(gone);
}

TEST_CASE_METHOD(Fixture, "what was never sent is gone at once, but not within the call",
                 "[host][store]") {
  DescriptorStore store(loop, address, {.burst = 0, .interval = 1h, .clients = 5});
  const Descriptor file = new_file();
  store.keep("client-1", file.number());
  bool gone = false;
  store.drop("client-1", [&] { gone = true; });
  CHECK_FALSE(gone);
  run_until(gone);
  CHECK_FALSE(manager.read());
}

TEST_CASE_METHOD(Fixture, "a service manager that has gone is not waited for", "[host][store]") {
  std::optional<DescriptorStore> store(std::in_place, loop, folder / "nobody.sock", kNoLimits);
  const Descriptor file = new_file();
  store->keep("tpm-node", file.number());
  bool gone = false;
  store->drop("tpm-node", [&] { gone = true; });
  CHECK_FALSE(gone);
  run_until(gone);
}

TEST_CASE_METHOD(Fixture, "a service manager that answers no barrier is given up",
                 "[host][store]") {
  DescriptorStore store(loop, address, kNoLimits);
  bool passed = false;
  store.barrier([&] { passed = true; });
  const auto barrier = next();
  REQUIRE(barrier);
  CHECK(barrier->text == "BARRIER=1");
  run_until(passed);
}

TEST_CASE_METHOD(Fixture, "a predecessor's descriptor is removed and not stored again",
                 "[host][store]") {
  DescriptorStore store(loop, address, kNoLimits);
  store.already_kept("client-7");
  store.already_kept("stored");
  store.drop("stored", nullptr);
  CHECK(next_text() == removed("stored"));
  store.drop("client-7", nullptr);
  CHECK(next_text() == removed("client-7"));
}

TEST_CASE("without a service manager nothing is kept", "[host][store]") {
  ::unsetenv("NOTIFY_SOCKET");
  boost::asio::io_context loop;
  DescriptorStore store(loop);
  CHECK_FALSE(store.available());
  store.keep("record", STDIN_FILENO);
  int called = 0;
  store.drop("record", [&] { ++called; });
  store.barrier([&] { ++called; });
  CHECK(called == 0);
  loop.run();
  CHECK(called == 2);
}
