#include "daemon/restart/setting.h"

#include <utility>

namespace tbs::restart {
namespace {

// The alternative that is in place `index`.
template <std::size_t... Places>
Setting made(std::size_t index, std::index_sequence<Places...>) {
  Setting setting;
  ((index == Places ? static_cast<void>(setting.emplace<Places>()) : static_cast<void>(0)), ...);
  return setting;
}

}  // namespace

void save(const Setting& setting, RecordWriter& record) {
  record(static_cast<std::uint8_t>(setting.index()));
  std::visit([&record](const auto& one) { record(one); }, setting);
}

Setting restore_setting(RecordReader& record) {
  std::uint8_t index = 0;
  record(index);
  constexpr std::size_t kSettings = std::variant_size_v<Setting>;
  record.require(index < kSettings, "a setting is unknown");
  Setting setting = made(index, std::make_index_sequence<kSettings>());
  std::visit([&record](auto& one) { record(one); }, setting);
  return setting;
}

}  // namespace tbs::restart
