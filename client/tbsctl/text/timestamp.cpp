#include "client/tbsctl/text/timestamp.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace tbs::ctl {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;

// Numbers alone, so no locale has a say in it.
std::string with_fraction(const std::tm& moment, char between, std::uint64_t fraction, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d%c%02d:%02d:%02d.%0*u",
                moment.tm_year + 1900, moment.tm_mon + 1, moment.tm_mday, between, moment.tm_hour,
                moment.tm_min, moment.tm_sec, digits, static_cast<unsigned>(fraction));
  return text.data();
}

}  // namespace

std::string local_time(std::uint64_t microseconds) {
  const auto seconds = static_cast<std::time_t>(microseconds / kSecond);
  std::tm moment{};
  ::localtime_r(&seconds, &moment);
  return with_fraction(moment, ' ', microseconds % kSecond / 1000, 3);
}

std::string utc_time(std::uint64_t microseconds) {
  const auto seconds = static_cast<std::time_t>(microseconds / kSecond);
  std::tm moment{};
  ::gmtime_r(&seconds, &moment);
  return with_fraction(moment, 'T', microseconds % kSecond, 6) + "Z";
}

}  // namespace tbs::ctl
