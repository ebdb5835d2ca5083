#pragma once

// What boot loaders measure: GRUB, shim, systemd-boot and systemd-stub, in EV_IPL and EV_EVENT_TAG.

#include "client/tbsctl/log/description.h"
#include "client/tbsctl/log/event_log.h"

namespace tbs::ctl {

// EV_IPL: "section .linux of the kernel image", "GRUB command: boot".
Description describe_boot_loader(const Event& event);

// EV_EVENT_TAG (TCG_PCClientTaggedEvent): "loader.conf", "SMBIOS type 1".
Description describe_tagged(const Event& event);

}  // namespace tbs::ctl
