#pragma once

// One command on the kernel's node that a predecessor has left, done to its end by a helper thread:
// any of these calls may block until the TPM is done with what runs. Only then may the node come
// into the event loop.
//
// Whether the predecessor has written the command is the kernel's knowledge: a write is refused
// with EBUSY while it has a command, or a response that nobody has read. So the node is read, and
// when there is nothing, the command is written; if that is refused, it was there and had not
// begun. Two things take a response away that nobody has got: a read that fails says so once, and
// the kernel drops what nobody reads for 120 s. So a command that was certainly sent is not sent
// again, nor one that the predecessor began long ago.

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "daemon/device/response_memory.h"

namespace tbs::device {

struct NodeExchange {
  std::vector<std::uint8_t> command;
  // Whether it is the predecessor's, which may have been sent, or one that comes after it.
  bool may_be_sent = false;
  ResponseMemory* memory = nullptr;  // may be null for one that is not kept
  std::span<std::uint8_t> response;  // where it goes: the memory's if there is one
  // How long a command that was certainly sent may give nothing to read before its response is
  // taken for lost: it has perhaps not begun, when the machine is that slow.
  std::chrono::nanoseconds longest_start = std::chrono::seconds(30);
};

struct NodeFailure {
  const char* verb = "";  // of what failed: "read from"
  int error = 0;          // ENODATA: the response was lost
};

// The size of the response.
std::expected<std::size_t, NodeFailure> finish_exchange(int node, const NodeExchange& exchange);

// Notes that the command is about to be written, that it was, and that there will be no response.
void note_start(ResponseMemory* memory);
void note_written(ResponseMemory* memory);
void note_failure(ResponseMemory* memory, int error);

}  // namespace tbs::device
