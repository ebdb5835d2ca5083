#include "client/tbsctl/log/event_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

struct LogEventName {
  std::uint32_t type;
  std::string_view name;
};

constexpr std::array kLogEventNames = {
    LogEventName{0x00, "EV_PREBOOT_CERT"},
    LogEventName{0x01, "EV_POST_CODE"},
    LogEventName{0x02, "EV_UNUSED"},
    LogEventName{kEvNoAction, "EV_NO_ACTION"},
    LogEventName{0x04, "EV_SEPARATOR"},
    LogEventName{0x05, "EV_ACTION"},
    LogEventName{0x06, "EV_EVENT_TAG"},
    LogEventName{0x07, "EV_S_CRTM_CONTENTS"},
    LogEventName{0x08, "EV_S_CRTM_VERSION"},
    LogEventName{0x09, "EV_CPU_MICROCODE"},
    LogEventName{0x0A, "EV_PLATFORM_CONFIG_FLAGS"},
    LogEventName{0x0B, "EV_TABLE_OF_DEVICES"},
    LogEventName{0x0C, "EV_COMPACT_HASH"},
    LogEventName{0x0D, "EV_IPL"},
    LogEventName{0x0E, "EV_IPL_PARTITION_DATA"},
    LogEventName{0x0F, "EV_NONHOST_CODE"},
    LogEventName{0x10, "EV_NONHOST_CONFIG"},
    LogEventName{0x11, "EV_NONHOST_INFO"},
    LogEventName{0x12, "EV_OMIT_BOOT_DEVICE_EVENTS"},
    LogEventName{0x13, "EV_POST_CODE2"},
    LogEventName{0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    LogEventName{0x80000002, "EV_EFI_VARIABLE_BOOT"},
    LogEventName{0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    LogEventName{0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
    LogEventName{0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    LogEventName{0x80000006, "EV_EFI_GPT_EVENT"},
    LogEventName{0x80000007, "EV_EFI_ACTION"},
    LogEventName{0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    LogEventName{0x80000009, "EV_EFI_HANDOFF_TABLES"},
    LogEventName{0x8000000A, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    LogEventName{0x8000000B, "EV_EFI_HANDOFF_TABLES2"},
    LogEventName{0x8000000C, "EV_EFI_VARIABLE_BOOT2"},
    LogEventName{0x8000000D, "EV_EFI_GPT_EVENT2"},
    LogEventName{kEvEfiHcrtmEvent, "EV_EFI_HCRTM_EVENT"},
    LogEventName{0x800000E0, "EV_EFI_VARIABLE_AUTHORITY"},
    LogEventName{0x800000E1, "EV_EFI_SPDM_FIRMWARE_BLOB"},
    LogEventName{0x800000E2, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
    LogEventName{0x800000E3, "EV_EFI_SPDM_DEVICE_POLICY"},
    LogEventName{0x800000E4, "EV_EFI_SPDM_DEVICE_AUTHORITY"},
};

}  // namespace

std::string event_name(std::uint32_t type) {
  const auto* const found = std::ranges::find(kLogEventNames, type, &LogEventName::type);
  return found != kLogEventNames.end() ? std::string(found->name) : "EV_" + hex32(type);
}

}  // namespace tbs::ctl
