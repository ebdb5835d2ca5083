#include "daemon/tpm/capability.h"

#include <array>
#include <vector>

#include <catch2/catch.hpp>

#include "daemon/tpm/builder.h"
#include "daemon/tpm/constants.h"
#include "daemon/tpm/saved_context.h"

using namespace tbs;
using namespace tbs::tpm;
using Bytes = std::vector<std::uint8_t>;

namespace {

proto::Bytes body(const Bytes& response) {
  return proto::Bytes(response).subspan(kHeaderSize);
}

}  // namespace

TEST_CASE("a query is read back as it was built", "[tpm][capability]") {
  const Bytes command = build::get_capability(cap::kHandles, 0x80000001, 7);
  const auto query = parse_capability_query(body(command));
  REQUIRE(query);
  CHECK(query->capability == cap::kHandles);
  CHECK(query->property == 0x80000001);
  CHECK(query->count == 7);
  CHECK_FALSE(parse_capability_query(body(command).first(11)));
  Bytes longer = command;
  longer.push_back(0);
  CHECK_FALSE(parse_capability_query(body(longer)));
}

TEST_CASE("a list of handles is read back as it was made", "[tpm][capability]") {
  constexpr std::array<std::uint32_t, 2> handles = {0x80000000, 0x80000005};
  const Bytes response = handles_response(handles, true);
  const auto list = parse_words(body(response), cap::kHandles);
  REQUIRE(list);
  CHECK(list->more);
  CHECK(list->items == std::vector<std::uint32_t>(handles.begin(), handles.end()));
  CHECK_FALSE(parse_words(body(response), cap::kCommands));
  CHECK_FALSE(parse_words(body(response).first(16), cap::kHandles));
}

TEST_CASE("a list that claims more items than it has is refused", "[tpm][capability]") {
  Bytes response = handles_response({}, false);
  for (std::size_t i = 15; i < 19; ++i) response[i] = 0xFF;
  CHECK_FALSE(parse_words(body(response), cap::kHandles));
}

TEST_CASE("properties are read and overwritten in place", "[tpm][capability]") {
  Bytes response = {0x80, 0x01, 0, 0, 0, 35, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0,
                    2,    0,    0, 1, 1, 0,  0, 0, 9, 0, 0, 2, 7, 0, 0, 0, 3};
  put_property(response, 1, 0x1234);
  const auto list = parse_properties(body(response));
  REQUIRE(list);
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[0].name == 0x101);
  CHECK(list->items[0].value == 9);
  CHECK(list->items[1].name == pt::kHrTransientAvail);
  CHECK(list->items[1].value == 0x1234);
}

TEST_CASE("a saved context is read, without what follows it", "[tpm][saved_context]") {
  const Bytes bytes = {0, 0, 0, 0, 0, 0, 1, 2, 0x02, 0, 0, 3, 0x40, 0, 0, 7, 0, 2, 0xAA, 0xBB};
  Bytes padded = bytes;
  padded.resize(padded.size() + 30);
  const auto context = parse_saved_context(padded);
  REQUIRE(context);
  CHECK(context->sequence == 0x102);
  CHECK(context->handle == 0x02000003);
  CHECK(context->hierarchy == kRhNull);
  CHECK(Bytes(context->bytes.begin(), context->bytes.end()) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parse_saved_context(proto::Bytes(bytes).first(size)));
  }
}

TEST_CASE("the daemon's own commands state their size", "[tpm][builder]") {
  const Bytes blob(40, 0x5A);
  for (const Bytes& command :
       {build::startup(kStartupClear), build::shutdown(kStartupState), build::read_clock(),
        build::get_capability(1, 2, 3), build::context_save(0x80000000), build::context_load(blob),
        build::flush_context(0x02000001)}) {
    REQUIRE(command.size() >= kHeaderSize);
    CHECK(command[0] == 0x80);
    CHECK(command[1] == 0x01);
    CHECK((command[4] << 8 | command[5]) == static_cast<int>(command.size()));
  }
}
