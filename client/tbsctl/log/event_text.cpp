#include "client/tbsctl/log/event_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/tbsctl/log/events/boot_loader.h"
#include "client/tbsctl/log/events/device_security.h"
#include "client/tbsctl/log/events/firmware.h"
#include "client/tbsctl/log/events/no_action.h"
#include "client/tbsctl/log/uefi/partition_table.h"
#include "client/tbsctl/log/uefi/variable.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

using EventWriter = std::optional<Description> (*)(const Event& event);

struct EventWords {
  std::uint32_t type;
  EventWriter write;
};

template <Description (*kDescribe)(const Event&)>
std::optional<Description> of_event(const Event& event) {
  return kDescribe(event);
}

template <std::optional<Description> (*kDescribe)(proto::Bytes)>
std::optional<Description> of_data(const Event& event) {
  return kDescribe(event.data);
}

// With what the layout of the data depends on.
template <auto kDescribe, bool kFlag>
std::optional<Description> of_data_with(const Event& event) {
  return kDescribe(event.data, kFlag);
}

// Types whose data is a structure. All others have a text or bytes.
constexpr std::array kEventWords = {
    EventWords{0x01, of_data<describe_post_code>},
    EventWords{kEvNoAction, of_event<describe_no_action>},
    EventWords{0x04, of_data<describe_separator>},
    EventWords{0x06, of_event<describe_tagged>},
    EventWords{0x08, of_data<describe_version>},
    EventWords{0x0D, of_event<describe_boot_loader>},
    EventWords{0x13, of_data_with<describe_blob, true>},
    EventWords{0x80000001, of_data_with<describe_variable, false>},
    EventWords{0x80000002, of_data_with<describe_variable, false>},
    EventWords{0x80000003, of_data<describe_image>},
    EventWords{0x80000004, of_data<describe_image>},
    EventWords{0x80000005, of_data<describe_image>},
    EventWords{0x80000006, of_data<describe_partition_table>},
    EventWords{0x80000008, of_data_with<describe_blob, false>},
    EventWords{0x80000009, of_data_with<describe_tables, false>},
    EventWords{0x8000000A, of_data_with<describe_blob, true>},
    EventWords{0x8000000B, of_data_with<describe_tables, true>},
    EventWords{0x8000000C, of_data_with<describe_variable, false>},
    EventWords{0x8000000D, of_data<describe_partition_table>},
    EventWords{0x800000E0, of_data_with<describe_variable, true>},
    EventWords{0x800000E1, of_data<describe_device_security>},
    EventWords{0x800000E2, of_data<describe_device_security>},
    EventWords{0x800000E3, of_data_with<describe_variable, false>},
    EventWords{0x800000E4, of_data_with<describe_variable, true>},
};

// Their digests are of all their data: EV_SEPARATOR, EV_ACTION, EV_EFI_VARIABLE_DRIVER_CONFIG,
// EV_EFI_GPT_EVENT, EV_EFI_ACTION.
constexpr std::array<std::uint32_t, 5> kDigestOfData = {0x04, 0x05, 0x80000001, 0x80000006,
                                                        0x80000007};

}  // namespace

Description describe_event(const Event& event) {
  const auto* const found = std::ranges::find(kEventWords, event.type, &EventWords::type);
  if (found != kEventWords.end()) {
    if (auto known = found->write(event)) return *std::move(known);
  }
  const auto text = plain_text(event.data);
  return {.text = text ? log_text(*text) : bytes_text(event.data), .parts = {}, .fields = {}};
}

std::string event_text(const Event& event) {
  return describe_event(event).text;
}

std::optional<bool> digests_fit(const Event& event) {
  if (std::ranges::find(kDigestOfData, event.type) == kDigestOfData.end()) return std::nullopt;
  std::optional<bool> fit;
  for (const EventDigest& digest : event.digests) {
    const auto expected = bank_digest(digest.algorithm, event.data);
    if (!expected) continue;
    fit = fit.value_or(true) && std::ranges::equal(*expected, digest.value);
  }
  return fit;
}

}  // namespace tbs::ctl
