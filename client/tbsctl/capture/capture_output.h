#pragma once

// Where captured exchanges go: packets for Wireshark, or lines for people and programs.

#include <cstdint>
#include <memory>
#include <ostream>

#include "client/tbsctl/text/console.h"
#include "proto/captured_exchange.h"

namespace tbs::ctl {

class CaptureOutput {
 public:
  virtual ~CaptureOutput() = default;
  virtual void write(const proto::CapturedExchange& exchange) = 0;
};

// What it is made with must outlive it.
std::unique_ptr<CaptureOutput> packet_file(std::ostream& out);
std::unique_ptr<CaptureOutput> capture_lines(const Console& console, bool utc);

// Of a command or a response; 0 when there is no header.
std::uint32_t code_in(proto::Bytes message);

}  // namespace tbs::ctl
