#pragma once

// What `tbsctl bridge` is asked to do.

#include <cstdint>
#include <string>

#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/priority.h"

namespace tbs::ctl {

enum class BridgeProtocol : std::uint8_t { Raw, Mssim, Swtpm };

inline constexpr Names<BridgeProtocol, 3> kBridgeProtocols = {{
    {BridgeProtocol::Raw, "raw"},
    {BridgeProtocol::Mssim, "mssim"},
    {BridgeProtocol::Swtpm, "swtpm"},
}};

struct BridgeOptions {
  BridgeProtocol protocol = BridgeProtocol::Raw;
  std::string listen;   // where commands come
  std::string control;  // the second channel; empty: beside the first
  bool persistent = false;
  bool listen_any = false;  // take an address that other machines reach
  unsigned mode = 0600;     // of Unix sockets
  std::uint32_t priority = kPriorityNormal;
};

}  // namespace tbs::ctl
