// What programs use of tbs::result, whichever of its two types it is. Compiled only, by headers.sh;
// cpp_codes.cpp runs the rest of tbs.hpp.
#include <array>
#include <string>
#include <type_traits>

static_assert(!std::is_copy_constructible_v<tbs::context>);
static_assert(std::is_nothrow_move_constructible_v<tbs::context>);
static_assert(std::is_same_v<tbs::result<int>::value_type, int>);
static_assert(std::is_same_v<tbs::result<int>::error_type, tbs::error>);
static_assert(tbs::result<void>().has_value());
static_assert(tbs::error(TBSX_E_TIMED_OUT).timed_out());

tbs::result<std::string> named(tbs::context tpm, const std::stop_token& stop) {
  std::array<BYTE, 64> memory{};
  const auto response = tpm.submit(memory, memory, stop, {.priority = tbs::priority::low});
  if (!response) return tbs::failure(response.error());
  if (auto vector = tpm.submit(memory, {.timeout = std::chrono::seconds(1)}); vector) {
    return std::string(vector->begin(), vector->end());
  }
  if (const auto canceled = tpm.cancel(); !canceled.has_value()) {
    return canceled.error().canceled() ? "canceled" : canceled.error().name();
  }
  const auto left = static_cast<std::size_t>(tpm.cancel_descriptor().value_or(0));
  return std::string(response->size() + (*response)[0] + left, 'x');
}
