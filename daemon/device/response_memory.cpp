#include "daemon/device/response_memory.h"

#include <algorithm>
#include <cassert>

#include "daemon/base/ordered_store.h"

namespace tbs::device {
namespace {

// Changes with what is in here.
constexpr std::uint64_t kVersion = 0x74627364'00000001;  // "tbsd" 1

// What is zeroed of the last response: enough for the header of any frame.
constexpr std::size_t kHeader = 32;

}  // namespace

ResponseMemory::ResponseMemory(std::span<std::uint8_t> bytes) {
  assert(bytes.size() >= kSize && reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096 == 0);
  void* const layout = bytes.data();
  layout_ = static_cast<Layout*>(layout);
  response_ = bytes.subspan(kSize - kMostResponse, kMostResponse);
  if (layout_->version == kVersion) return;
  store_in_order(layout_->number, 0);
  layout_->device = {};
  layout_->version = kVersion;
}

void ResponseMemory::begin(std::uint64_t number) {
  store_in_order(layout_->number, 0);
  layout_->command = {};
  std::fill_n(response_.begin(), kHeader, std::uint8_t{0});
  store_in_order(layout_->number, number);
}

std::uint64_t ResponseMemory::number() const {
  return layout_->number;
}

}  // namespace tbs::device
