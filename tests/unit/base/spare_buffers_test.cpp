#include "daemon/base/spare_buffers.h"

#include <utility>

#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("a buffer that was given back is the next one's memory", "[base]") {
  SpareBuffers buffers;
  const proto::Buffer bytes = {1, 2, 3};
  proto::Buffer first = buffers.copy_of(bytes);
  CHECK(first == bytes);
  const std::uint8_t* const memory = first.data();
  buffers.give(std::move(first));
  // AddressSanitizer's builds keep none.
  CHECK(buffers.size() == (kBlocksKept == 0 ? 0 : 1));
  const proto::Buffer second = buffers.copy_of(proto::Buffer{4});
  CHECK(second == proto::Buffer{4});
  if (kBlocksKept != 0) CHECK(second.data() == memory);
  CHECK(buffers.size() == 0);
}

TEST_CASE("only a few buffers are kept, and no long ones", "[base]") {
  SpareBuffers buffers;
  for (std::size_t i = 0; i < 2 * kBlocksKept; ++i) buffers.give(proto::Buffer(16));
  CHECK(buffers.size() == kBlocksKept);
  SpareBuffers others;
  others.give(proto::Buffer(100'000));
  others.give({});
  CHECK(others.size() == 0);
}
