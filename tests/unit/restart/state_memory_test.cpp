#include "daemon/restart/state_memory.h"

#include <algorithm>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch2.h"

using namespace tbs::restart;

namespace {

const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
const std::size_t kSize = 16 * kPage;
const StateMemory::Sizes kSizes{.least = kPage, .most = kSize};

StateMemory made(std::size_t size = kSize) {
  auto memory = StateMemory::create("tbsd-test", size);
  if (!memory) FAIL(memory.error());
  return *std::move(memory);
}

std::size_t bytes_in_use(const StateMemory& memory) {
  struct stat status{};
  REQUIRE(::fstat(memory.descriptor(), &status) == 0);
  return static_cast<std::size_t>(status.st_blocks) * 512;
}

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

// Says why; the descriptor is closed.
std::string refusal(int descriptor) {
  REQUIRE(descriptor >= 0);
  const auto memory = StateMemory::adopt(descriptor, kSizes);
  REQUIRE_FALSE(memory);
  CHECK_FALSE(is_open(descriptor));
  return memory.error();
}

int plain_memfd(std::size_t size, int seals) {
  const int fd = ::memfd_create("tbsd-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(fd >= 0);
  REQUIRE(::ftruncate(fd, static_cast<off_t>(size)) == 0);
  REQUIRE(::fcntl(fd, F_ADD_SEALS, seals) == 0);
  return fd;
}

constexpr int kSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

}  // namespace

TEST_CASE("state memory is sparse, and nobody can change its size", "[restart][memory]") {
  const StateMemory memory = made(kSize - 1);
  CHECK(memory.bytes().size() == kSize);
  CHECK(bytes_in_use(memory) == 0);
  CHECK(std::ranges::all_of(memory.bytes(), [](std::uint8_t byte) { return byte == 0; }));
  CHECK(::ftruncate(memory.descriptor(), 0) != 0);
  CHECK(::ftruncate(memory.descriptor(), static_cast<off_t>(2 * kSize)) != 0);
  CHECK(::fcntl(memory.descriptor(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
  CHECK((::fcntl(memory.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("what a killed process wrote is there for the next one", "[restart][memory]") {
  int kept = -1;
  {
    const StateMemory memory = made();
    kept = ::dup(memory.descriptor());
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      memory.bytes()[5000] = 42;
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
  }
  const auto adopted = StateMemory::adopt(kept, kSizes);
  REQUIRE(adopted);
  CHECK(adopted->descriptor() == kept);
  CHECK(adopted->bytes().size() == kSize);
  CHECK(adopted->bytes()[5000] == 42);
  CHECK((::fcntl(kept, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("only a sealed memory file of a right size is adopted", "[restart][memory]") {
  // A refused descriptor ends in one of these.
  const auto says = [](const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  says(refusal(::open("/dev/null", O_RDWR | O_CLOEXEC)), "no memory file");
  says(refusal(::open("/dev/shm", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600)), "not sealed");
  says(refusal(plain_memfd(kSize, F_SEAL_SEAL)), "not sealed");
  says(refusal(plain_memfd(kSize, F_SEAL_GROW | F_SEAL_SEAL)), "not sealed");
  says(refusal(plain_memfd(kSize, F_SEAL_GROW | F_SEAL_SHRINK)), "not sealed");
  says(refusal(plain_memfd(0, kSeals)), "0 bytes");
  says(refusal(plain_memfd(kSize + kPage, kSeals)), " bytes");
  says(refusal(plain_memfd(kSize - 1, kSeals)), " bytes");
  says(refusal(plain_memfd(kSize, kSeals | F_SEAL_WRITE)), "mapped");
  const StateMemory memory = made();
  const std::string path = "/proc/self/fd/" + std::to_string(memory.descriptor());
  says(refusal(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), "written");
  CHECK_FALSE(StateMemory::adopt(-1, kSizes));
  CHECK(StateMemory::adopt(plain_memfd(kSize, kSeals), kSizes));
}

TEST_CASE("pages are given back, but none that is shared with other parts", "[restart][memory]") {
  StateMemory memory = made();
  std::ranges::fill(memory.bytes(), std::uint8_t{1});
  CHECK(bytes_in_use(memory) == kSize);
  const auto part = memory.bytes().subspan(100, kSize / 2);
  memory.give_back(part);
  CHECK(bytes_in_use(memory) < kSize / 2 + 2 * kPage);
  CHECK(std::ranges::count(memory.bytes().first(100), 1) == 100);
  const auto behind = memory.bytes().subspan(100 + kSize / 2);
  CHECK(static_cast<std::size_t>(std::ranges::count(behind, 1)) == behind.size());
  CHECK(part[part.size() / 2] == 0);
  // Less than a page has nothing to give.
  const std::size_t before = bytes_in_use(memory);
  memory.give_back(behind.subspan(1, kPage - 100));
  memory.give_back(behind.first(0));
  CHECK(bytes_in_use(memory) == before);
}

TEST_CASE("pages can be had beforehand, with what is in them", "[restart][memory]") {
  StateMemory memory = made();
  memory.bytes()[kPage] = 9;
  REQUIRE(memory.reserve(memory.bytes().subspan(kPage, 2 * kPage)));
  CHECK(bytes_in_use(memory) == 2 * kPage);
  CHECK(memory.bytes()[kPage] == 9);
}

TEST_CASE("a page is pinned, or at least there", "[restart][memory]") {
  StateMemory memory = made();
  memory.bytes()[2 * kPage - 1] = 9;
  const auto pinned = memory.pin(memory.bytes().subspan(kPage - 10, 20));
  REQUIRE(pinned);
  CHECK(bytes_in_use(memory) == 2 * kPage);
  CHECK(memory.bytes()[2 * kPage - 1] == 9);
  std::vector<unsigned char> resident(kSize / kPage);
  REQUIRE(::mincore(memory.bytes().data(), kSize, resident.data()) == 0);
  CHECK((resident[0] & resident[1] & 1) == 1);
}

TEST_CASE("without the right to lock memory pages are not pinned, and there", "[restart][memory]") {
  StateMemory memory = made();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit none{};
    ::setrlimit(RLIMIT_MEMLOCK, &none);
    // Root may lock without a limit; nobody may not.
    if (::getuid() == 0 && ::setuid(65534) != 0) std::_Exit(3);
    const auto pinned = memory.pin(memory.bytes().first(kPage));
    if (!pinned) std::_Exit(2);
    // ASan's mlock() locks nothing and never fails.
    std::_Exit(*pinned == (::mlock(memory.bytes().data(), 1) == 0) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(bytes_in_use(memory) == kPage);
}

TEST_CASE("state memory moves with what it owns", "[restart][memory]") {
  StateMemory first = made();
  const int descriptor = first.descriptor();
  first.bytes()[0] = 5;
  StateMemory second = std::move(first);
  CHECK(second.descriptor() == descriptor);
  const StateMemory third = made();
  second = made();
  CHECK(second.descriptor() != third.descriptor());
  StateMemory fourth = made();
  fourth = std::move(second);
  CHECK(fourth.bytes().size() == kSize);
}
