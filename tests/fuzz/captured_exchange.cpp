// What a capture consists of: what is read is written in no other way, and every byte is read once.

#include "proto/captured_exchange.h"

#include <algorithm>
#include <cstdlib>

using namespace tbs::proto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  ByteReader reader(bytes);
  std::size_t read = 0;
  while (!reader.at_end()) {
    const auto exchange = read_exchange(reader);
    if (!exchange) break;
    Buffer again;
    append_exchange(again, *exchange);
    if (again.size() != exchange->size() || read + again.size() > size) std::abort();
    if (!std::ranges::equal(again, bytes.subspan(read, again.size()))) std::abort();
    read += again.size();
  }
  return 0;
}
