#include "proto/tpm/capability.h"

#include <array>
#include <vector>

#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::tpm;
using Bytes = std::vector<std::uint8_t>;

namespace {

proto::Bytes body(const Bytes& response) {
  return proto::Bytes(response).subspan(kHeaderSize);
}

// The parameters of a response with this list.
Bytes answer(const TPMS_CAPABILITY_DATA& data, bool more = false) {
  Bytes parameters = {more ? std::uint8_t{1} : std::uint8_t{0}};
  const Bytes bytes = marshal(data);
  parameters.insert(parameters.end(), bytes.begin(), bytes.end());
  return parameters;
}

}  // namespace

TEST_CASE("a query is read back as it was built", "[proto][tpm][capability]") {
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

TEST_CASE("a list of handles is read back as it was made", "[proto][tpm][capability]") {
  constexpr std::array<std::uint32_t, 2> handles = {0x80000000, 0x80000005};
  const Bytes response = handles_response(handles, true);
  CHECK(response == Bytes{0x80, 0x01, 0, 0, 0, 27,   0, 0, 0, 0,    1, 0, 0, 0,
                          1,    0,    0, 0, 2, 0x80, 0, 0, 0, 0x80, 0, 0, 5});
  const auto list = parse_words(body(response), cap::kHandles);
  REQUIRE(list);
  CHECK(list->more);
  CHECK(list->items == std::vector<std::uint32_t>(handles.begin(), handles.end()));
  CHECK_FALSE(parse_words(body(response), cap::kCommands));
  CHECK_FALSE(parse_words(body(response), cap::kAlgorithms));
  CHECK_FALSE(parse_properties(body(response)));
}

TEST_CASE("every cut of a list is refused", "[proto][tpm][capability]") {
  const Bytes response = handles_response(std::array<std::uint32_t, 3>{1, 2, 3}, false);
  for (std::size_t size = 0; size < response.size() - kHeaderSize; ++size) {
    const auto part = body(response).first(size);
    CHECK_FALSE(parse_words(Bytes(part.begin(), part.end()), cap::kHandles));
  }
}

TEST_CASE("a list that claims more items than it has is refused", "[proto][tpm][capability]") {
  Bytes response = handles_response({}, false);
  for (std::size_t i = 15; i < 19; ++i) response[i] = 0xFF;
  CHECK_FALSE(parse_words(body(response), cap::kHandles));
}

TEST_CASE("more handles than fit are cut, and the list says so", "[proto][tpm][capability]") {
  const std::vector<std::uint32_t> handles(kMaxListedHandles + 1, 0x80000000);
  const auto list = parse_words(body(handles_response(handles, false)), cap::kHandles);
  REQUIRE(list);
  CHECK(list->items.size() == kMaxListedHandles);
  CHECK(list->more);
  const std::vector<std::uint32_t> fits(kMaxListedHandles, 0x80000000);
  CHECK_FALSE(parse_words(body(handles_response(fits, false)), cap::kHandles)->more);
}

TEST_CASE("command attributes are a list of words", "[proto][tpm][capability]") {
  TPMS_CAPABILITY_DATA data{.capability = TPM2_CAP_COMMANDS, .data = {}};
  data.data.command.count = 2;
  data.data.command.commandAttributes[0] = TPM2_CC_GetRandom;
  data.data.command.commandAttributes[1] = TPM2_CC_Sign | TPMA_CC_NV;
  const auto list = parse_words(answer(data, true), cap::kCommands);
  REQUIRE(list);
  CHECK(list->more);
  CHECK(list->items == std::vector<std::uint32_t>{TPM2_CC_GetRandom, TPM2_CC_Sign | TPMA_CC_NV});
}

TEST_CASE("properties are read back as they were made", "[proto][tpm][capability]") {
  const Bytes response = properties_response(
      {.more = false,
       .items = {{.name = 0x101, .value = 9}, {.name = pt::kHrTransientAvail, .value = 0x1234}}});
  CHECK(response == Bytes{0x80, 0x01, 0, 0, 0, 35, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0,    0,   0,
                          2,    0,    0, 1, 1, 0,  0, 0, 9, 0, 0, 2, 7, 0, 0, 0x12, 0x34});
  const auto list = parse_properties(body(response));
  REQUIRE(list);
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[0].name == 0x101);
  CHECK(list->items[0].value == 9);
  CHECK(list->items[1].name == pt::kHrTransientAvail);
  CHECK(list->items[1].value == 0x1234);
}

TEST_CASE("banks of PCRs come with the PCRs in each", "[proto][tpm][capability]") {
  TPMS_CAPABILITY_DATA data{.capability = TPM2_CAP_PCRS, .data = {}};
  data.data.assignedPCR.count = 1;
  data.data.assignedPCR.pcrSelections[0] = {
      .hash = TPM2_ALG_SHA384, .sizeofSelect = 3, .pcrSelect = {0xFF, 0xFF, 0x01}};
  const auto banks = parse_pcr_banks(answer(data));
  REQUIRE(banks);
  REQUIRE(banks->count == 1);
  CHECK(banks->pcrSelections[0].hash == TPM2_ALG_SHA384);
  CHECK(banks->pcrSelections[0].pcrSelect[2] == 0x01);
  CHECK_FALSE(parse_pcr_banks(body(handles_response({}, false))));
}
