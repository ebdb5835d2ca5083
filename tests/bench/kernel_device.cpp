#include "tests/bench/kernel_device.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <sys/mount.h>

namespace tbs::bench {
namespace {

const std::string kTracing = "/sys/kernel/tracing";
const std::string kEvent = "tbs_bench_transmit";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Events are added to the list of those that are there, in one write.
void write(const std::string& file, const std::string& text) {
  const std::string path = kTracing + "/" + file;
  const Fd out(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!out.valid()) fail("open " + path);
  if (::write(out.get(), text.data(), text.size()) < 0) fail("write " + text + " to " + path);
}

}  // namespace

NodeClient::NodeClient(const std::string& path) : node_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (!node_.valid()) fail("open " + path);
}

proto::Bytes NodeClient::run(proto::Bytes command) {
  if (::write(node_.get(), command.data(), command.size()) < 0) fail("write to the TPM's node");
  const ssize_t size = ::read(node_.get(), room_.data(), room_.size());
  if (size < 0) fail("read from the TPM's node");
  return proto::Bytes(room_).first(static_cast<std::size_t>(size));
}

DriverProbe::DriverProbe() {
  if (!std::filesystem::exists(kTracing + "/kprobe_events") &&
      ::mount("tracefs", kTracing.c_str(), "tracefs", 0, nullptr) != 0) {
    fail("mount " + kTracing);
  }
  write("kprobe_events", "p:" + kEvent + " tpm_transmit\n");
  write("events/kprobes/" + kEvent + "/enable", "1\n");
}

// The rest of the machine's life with a probe in the kernel does no harm.
DriverProbe::~DriverProbe() {
  try {
    write("events/kprobes/" + kEvent + "/enable", "0\n");
    write("kprobe_events", "-:" + kEvent + "\n");
  } catch (const std::system_error&) {
  }
}

// Lines of event, hits, misses.
std::size_t DriverProbe::commands() const {
  std::ifstream profile(kTracing + "/kprobe_profile");
  std::string event;
  std::size_t hits = 0;
  std::size_t misses = 0;
  while (profile >> event >> hits >> misses) {
    if (event == kEvent) return hits + misses;
  }
  throw std::runtime_error("the kernel does not count");
}

}  // namespace tbs::bench
