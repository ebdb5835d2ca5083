#include "daemon/device/find_tpm.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace tbs::device {
namespace {

namespace fs = std::filesystem;

// Of "tpm0", and of nothing else.
std::optional<unsigned> number_of(const std::string& name) {
  constexpr std::string_view kPrefix = "tpm";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  unsigned number = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

// False also where an old kernel does not tell.
bool is_tpm20(const fs::path& chip) {
  std::ifstream file(chip / "tpm_version_major");
  int version = 0;
  return file >> version && version == 2;
}

}  // namespace

std::string find_tpm(const std::string& sysfs, const std::string& dev) {
  // Compared: first the family, then the number.
  std::optional<std::pair<bool, unsigned>> best;
  std::error_code error;
  for (fs::directory_iterator entry(fs::path(sysfs) / "class/tpm", error), end;
       !error && entry != end; entry.increment(error)) {
    const auto number = number_of(entry->path().filename());
    if (!number) continue;
    const std::pair rank(!is_tpm20(entry->path()), *number);
    if (!best || rank < *best) best = rank;
  }
  return best ? dev + "/tpm" + std::to_string(best->second) : std::string();
}

}  // namespace tbs::device
