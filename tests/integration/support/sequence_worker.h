#pragma once

// A client that never rests: it hashes data of its own again and again, in sequences, of which
// several are open at a time. A digest that is not that of its data says that it was given
// somebody else's sequence.

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>

#include "proto/byte_reader.h"
#include "tests/integration/support/raw_client.h"

namespace tbs::test {

class SequenceWorker {
 public:
  // Workers of different numbers have different data. Works until `stop` is true.
  SequenceWorker(RawClient client, std::uint8_t number, const std::atomic<bool>& stop);
  SequenceWorker(const SequenceWorker&) = delete;
  SequenceWorker& operator=(const SequenceWorker&) = delete;

  void join() { thread_.join(); }

  std::atomic<int> good = 0;
  std::atomic<int> refused = 0;      // by a response of the TPM
  std::atomic<int> wrong = 0;        // digests
  std::atomic<int> no_response = 0;  // commands that TBS failed

 private:
  std::optional<proto::Buffer> run(const proto::Buffer& command);
  void round();

  RawClient client_;
  proto::Buffer data_;
  proto::Buffer expected_;
  std::jthread thread_;
};

}  // namespace tbs::test
