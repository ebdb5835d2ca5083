#include "tests/sim/world.h"

#include <cstdio>

namespace tbs::sim {
namespace {

constexpr std::size_t kShown = 64;

}  // namespace

void World::trace(std::string_view what, std::uint64_t who, proto::Bytes bytes) {
  digest_ = mixed(digest_ ^ now_ ^ digest_of(who, bytes));
  for (const char letter : what) digest_ = mixed(digest_ ^ static_cast<unsigned char>(letter));
  if (!verbose) return;
  std::printf("%14.6f %-8.*s %4llu ", static_cast<double>(now_) / 1e9,
              static_cast<int>(what.size()), what.data(), static_cast<unsigned long long>(who));
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), kShown))) {
    std::printf("%02x", byte);
  }
  std::printf("%s\n", bytes.size() > kShown ? "..." : "");
}

void World::broken(std::string_view invariant, const std::string& how) {
  if (verbose) std::printf("BROKEN %s: %s\n", std::string(invariant).c_str(), how.c_str());
  if (failed()) return;
  invariant_ = invariant;
  how_ = how;
  when_ = now_;
}

}  // namespace tbs::sim
