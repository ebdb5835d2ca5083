#include "client/tbsctl/metrics/page_answer.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kAnswerStart = "HTTP/1.1 ";
constexpr std::size_t kMostShown = 80;

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> length_in(std::string_view head) {
  constexpr std::string_view kName = "Content-Length: ";
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = std::min(head.find(kLineEnd, at), head.size());
    const std::string_view line = head.substr(at, end - at);
    if (line.starts_with(kName)) return number_in(line.substr(kName.size()));
    at = end + kLineEnd.size();
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::string, std::string> page_in(std::string_view answer) {
  const std::size_t head_end = answer.find("\r\n\r\n");
  if (!answer.starts_with(kAnswerStart) || head_end == std::string_view::npos) {
    return std::unexpected("what answers there is no tbsd");
  }
  const std::string_view head = answer.substr(0, head_end);
  const std::string_view body = answer.substr(head_end + 2 * kLineEnd.size());
  const std::string_view status =
      head.substr(kAnswerStart.size(), head.find(kLineEnd) - kAnswerStart.size());
  if (!status.starts_with("200 ")) {
    return std::unexpected("tbsd answered " + printable(status.substr(0, kMostShown)));
  }
  if (length_in(head) != body.size()) return std::unexpected("the page did not come to its end");
  return std::string(body);
}

}  // namespace tbs::ctl
