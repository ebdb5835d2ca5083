#include "client/tbsctl/text/format.h"

#include <array>

#include "client/tbsctl/text/priority.h"

namespace tbs::ctl {
namespace {

std::string two_units(std::uint64_t large, std::string_view large_unit, std::uint64_t small,
                      std::string_view small_unit) {
  return std::to_string(large) + " " + std::string(large_unit) + " " + std::to_string(small) + " " +
         std::string(small_unit);
}

}  // namespace

std::string hex32(std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = "0x";
  for (unsigned shift = 32; shift > 0; shift -= 4) out += kDigits[value >> (shift - 4) & 0xFU];
  return out;
}

std::string octal(std::uint32_t mode) {
  std::string out = "0";
  for (unsigned shift = 9; shift > 0; shift -= 3) {
    out += static_cast<char>('0' + static_cast<char>(mode >> (shift - 3) & 7U));
  }
  return out;
}

std::string duration(std::uint64_t microseconds) {
  if (microseconds < 1000) return std::to_string(microseconds) + " us";
  const std::uint64_t milliseconds = microseconds / 1000;
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) {
    return std::to_string(seconds) + "." + std::to_string(milliseconds % 1000 / 100) + " s";
  }
  const std::uint64_t minutes = seconds / 60;
  if (minutes < 60) return two_units(minutes, "min", seconds % 60, "s");
  const std::uint64_t hours = minutes / 60;
  if (hours < 24) return two_units(hours, "h", minutes % 60, "min");
  return two_units(hours / 24, "d", hours % 24, "h");
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

std::string_view tpm_version_text(std::uint32_t version) {
  constexpr std::array<std::string_view, 3> kTexts = {"unknown", "1.2", "2.0"};
  return kTexts[version < kTexts.size() ? version : 0];
}

std::string_view interface_text(std::uint32_t interface_type) {
  constexpr std::array<std::string_view, 6> kTexts = {
      "unknown", "I/O port or memory-mapped", "TrustZone", "hardware", "emulator", "SPI or I2C bus",
  };
  return kTexts[interface_type < kTexts.size() ? interface_type : 0];
}

std::string_view device_state_text(proto::DeviceState state) {
  switch (state) {
    case proto::DeviceState::Starting:
      return "starting";
    case proto::DeviceState::Ready:
      return "ready";
    case proto::DeviceState::Down:
      return "down";
  }
  return "unknown";
}

Colour device_state_colour(proto::DeviceState state) {
  if (state == proto::DeviceState::Ready) return Colour::Good;
  return state == proto::DeviceState::Starting ? Colour::Caution : Colour::Bad;
}

std::string priority_text(std::uint32_t priority) {
  const auto name = priority_name(priority);
  return name ? std::string(*name) : std::to_string(priority);
}

}  // namespace tbs::ctl
