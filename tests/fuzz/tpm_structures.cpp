// Structures in what a TPM or a client says, of both families. The first byte chooses the parser.
// What is read is whole, and structures that tss2-mu reads come out again as they went in.

#include <algorithm>
#include <array>
#include <cstdlib>

#include "daemon/tpm/command_info.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_view.h"
#include "daemon/tpm/saved_context.h"
#include "daemon/tpm12/capability.h"
#include "daemon/tpm12/command_view.h"
#include "daemon/tpm12/context_blob.h"
#include "daemon/tpm12/key_identity.h"
#include "daemon/tpm12/response.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/structures.h"

using namespace tbs;
using proto::Bytes;

namespace {

[[maybe_unused]] const bool kSilent = (tpm::silence_marshalling(), true);

void require(bool condition) {
  if (!condition) std::abort();
}

bool within(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

template <typename Structure>
void round_trip(Bytes bytes) {
  Bytes left = bytes;
  const auto structure = tpm::take<Structure>(left);
  require(structure ? within(left, bytes) : left.size() == bytes.size());
  if (!structure) return;
  require(std::ranges::equal(tpm::marshal(*structure), bytes.first(bytes.size() - left.size())));
}

const tpm::CommandTable& commands() {
  static const tpm::CommandTable table = [] {
    constexpr std::array<std::uint32_t, 5> kAttributes = {
        TPM2_CC_GetRandom, TPM2_CC_Sign | 1U << TPMA_CC_CHANDLES_SHIFT,
        TPM2_CC_StartAuthSession | 2U << TPMA_CC_CHANDLES_SHIFT | TPMA_CC_RHANDLE,
        TPM2_CC_PolicyNV | 3U << TPMA_CC_CHANDLES_SHIFT,
        TPMA_CC_V | 1U | 7U << TPMA_CC_CHANDLES_SHIFT};
    tpm::CommandTable made;
    made.load(kAttributes);
    return made;
  }();
  return table;
}

void family20(Bytes bytes, std::uint8_t choice) {
  if (const auto view = tpm::parse_command(bytes, commands())) {
    require(within(view->parameters, bytes));
    require(view->session_count <= tpm::kMaxSessions);
  }
  const tpm::ResponseShape shape{.has_handle = (choice & 1) != 0,
                                 .session_count = static_cast<std::uint8_t>(choice >> 1 & 3)};
  if (const auto view = tpm::parse_response(bytes, shape)) require(within(view->parameters, bytes));
  if (const auto context = tpm::parse_saved_context(bytes)) {
    require(within(context->bytes, bytes) && context->bytes.size() >= 18);
  }
}

void capabilities(Bytes bytes) {
  (void)tpm::parse_capability_query(bytes);
  (void)tpm::parse_pcr_banks(bytes);
  for (const std::uint32_t capability : {tpm::cap::kHandles, tpm::cap::kCommands}) {
    const auto words = tpm::parse_words(bytes, capability);
    require(!words || words->items.size() * 4 <= bytes.size());
  }
  const auto properties = tpm::parse_properties(bytes);
  if (!properties) return;
  require(properties->items.size() * 8 <= bytes.size());
  const auto again =
      tpm::parse_properties(Bytes(tpm::properties_response(*properties)).subspan(tpm::kHeaderSize));
  require(again && again->more == properties->more &&
          again->items.size() == properties->items.size());
}

void family12(Bytes bytes) {
  if (const auto view = tpm12::parse_command(bytes)) {
    require(within(view->parameters, bytes));
    if (const auto inner = tpm12::parse_wrapped_command(*view)) {
      require(within(inner->parameters, bytes));
    }
  }
  if (const auto view = tpm12::parse_response(bytes)) {
    require(within(view->parameters, bytes));
    (void)view->handle();
    (void)tpm12::wrapped_response(*view);
  }
  (void)tpm12::parse_context_blob(bytes);
  (void)tpm12::parse_capability_query(bytes);
  (void)tpm12::parse_capability_word(bytes);
  (void)tpm12::parse_handle_list(bytes);
  (void)tpm12::identity_of_key(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  const Bytes bytes(data + 1, size - 1);
  switch (choice >> 4) {
    case 0:
      family20(bytes, choice);
      break;
    case 1:
      capabilities(bytes);
      break;
    case 2:
      family12(bytes);
      break;
    case 3:
      round_trip<TPMS_CAPABILITY_DATA>(bytes);
      break;
    case 4:
      round_trip<TPML_PCR_SELECTION>(bytes);
      break;
    case 5:
      round_trip<TPML_DIGEST>(bytes);
      break;
    case 6:
      round_trip<TPMS_TIME_INFO>(bytes);
      break;
    case 7:
      round_trip<TPM2B_DIGEST>(bytes);
      break;
    default:
      (void)tpm::unmarshal<TPM2B_PUBLIC>(bytes);
      (void)tpm::unmarshal<TPMT_PUBLIC>(bytes);
      break;
  }
  return 0;
}
