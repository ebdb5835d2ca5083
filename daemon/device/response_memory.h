#pragma once

// What a device leaves for the process that comes after this one: how far it was with its one
// command, the response as far as it has come, and what else a successor must know about the device
// (its kind decides what that is). It lies in memory that outlives the process; nothing here waits
// or fails, and a kill at any instruction leaves what a successor can go on with.
//
// The commands have numbers, which are its owner's. A successor asks which command is in here, and
// has the device resume() that one and no other.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "daemon/device/counted_stream.h"

namespace tbs::device {

class ResponseMemory {
 public:
  static constexpr std::size_t kSize = 16384;
  static constexpr std::size_t kMostResponse = kSize - 4096;

  // How far a command is, for a device that cannot count bytes.
  static constexpr std::uint64_t kBegun = 0;    // perhaps sent, perhaps not
  static constexpr std::uint64_t kWritten = 1;  // certainly sent
  static constexpr std::uint64_t kFailed = 2;   // `error` says why there is no response

  struct Command {
    std::uint64_t phase;
    std::uint64_t error;    // errno value
    std::uint64_t started;  // in nanoseconds of CLOCK_BOOTTIME; 0 until it is about to be sent
    CountedStream sent;
    CountedStream received;
  };

  // kSize bytes that begin at a page and outlive this object; zeros when they are new. What another
  // version has left there is forgotten. They should
  // be pinned, so that the kernel meets no page fault there: else a kill in a moment when memory is
  // short can lose a response.
  explicit ResponseMemory(std::span<std::uint8_t> bytes);

  // Forgets the last command and its response: the next one has this number; 0 for none.
  void begin(std::uint64_t number);
  // Of the command in here; 0 if there is none.
  [[nodiscard]] std::uint64_t number() const;

  // The rest is the devices'.

  [[nodiscard]] Command& command() { return layout_->command; }
  // Where the response goes. Its first bytes are zeros until it is there.
  [[nodiscard]] std::span<std::uint8_t> response() { return response_; }

  // What is known of the device and stays from one command to the next. A Record is plain data
  // whose first member is `std::uint64_t kind`: the value of Record::kKind, and nothing else when
  // another kind of device, or another version of this one, was here before.
  template <class Record>
  [[nodiscard]] Record& device();
  template <class Record>
  [[nodiscard]] bool knows() {
    return device<Record>().kind == Record::kKind;
  }

 private:
  static constexpr std::size_t kDeviceRecord = 1024;

  struct Layout {
    std::uint64_t version;
    std::uint64_t number;
    Command command;
    alignas(64) std::array<std::uint8_t, kDeviceRecord> device;
  };
  static_assert(sizeof(Layout) <= kSize - kMostResponse);
  static_assert(std::is_trivially_copyable_v<Layout>);

  Layout* layout_;
  std::span<std::uint8_t> response_;
};

template <class Record>
Record& ResponseMemory::device() {
  static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) <= kDeviceRecord);
  static_assert(std::is_same_v<decltype(Record::kind), std::uint64_t>);
  void* const record = layout_->device.data();
  return *static_cast<Record*>(record);
}

}  // namespace tbs::device
