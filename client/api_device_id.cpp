// GetDeviceID, GetDeviceIDString.

#include <algorithm>
#include <array>
#include <expected>

#include "client/boundary.h"
#include "client/context.h"
#include "client/device_id.h"
#include "client/socket_path.h"
#include "proto/service_codes.h"

using namespace tbs::client;
namespace proto = tbs::proto;
using proto::Status;

namespace {

using Id = std::array<std::uint8_t, kDeviceIdSize>;

template <typename Failure>
std::unexpected<std::uint32_t> failure(Failure code) {
  return std::unexpected(static_cast<std::uint32_t>(code));
}

// The identifier, or the number of an HRESULT. What the key occupies goes with the connection.
std::expected<Id, std::uint32_t> ask_device_id() {
  const auto context = Context::open(chosen_socket(), proto::kWantTpm20);
  if (!context) return failure(context.error());
  std::uint32_t refusal = 0;
  for (const IdKey key : {IdKey::P256, IdKey::Rsa2048}) {
    const proto::Buffer command = create_id_key(key);
    std::array<std::uint8_t, 4096> response{};
    std::size_t size = 0;
    const Status status =
        (*context)->submit({0, TBS_COMMAND_PRIORITY_NORMAL, command}, response, size);
    if (status != Status::Success) return failure(status);
    const auto answer = read_id_answer(proto::Bytes(response).first(size));
    if (!answer) return failure(answer.error());
    if (answer->response_code == 0) {
      Id id{};
      std::ranges::copy(answer->id, id.begin());
      return id;
    }
    refusal = answer->response_code;
    if (!is_unknown_key_kind(refusal)) break;
  }
  // A TPM's error as Windows shows it in an HRESULT: the response code below the facility.
  return failure(proto::service::kFacility | (refusal & ~proto::service::kFacilityMask));
}

HRESULT result_of(std::uint32_t code) {
  return static_cast<HRESULT>(code);
}

// Writes the units of an identifier where there is room for all of them.
template <typename Unit, typename Units>
HRESULT deliver(const Units& units, Unit* room, UINT32 capacity, PUINT32 needed,
                BOOL* protected_by) {
  if (needed != nullptr) *needed = static_cast<UINT32>(units.size());
  if (protected_by != nullptr) *protected_by = 1;
  if (room == nullptr) return 0;
  if (units.size() > capacity) return result_of(TBS_E_INSUFFICIENT_BUFFER);
  std::ranges::copy(units, room);
  return 0;
}

template <typename Unit>
bool bad_output(const Unit* room, UINT32 capacity, PCUINT32 needed) {
  return room == nullptr && (capacity != 0 || needed == nullptr);
}

// In hexadecimal, with the zero that ends a text.
std::array<WCHAR, 2 * kDeviceIdSize + 1> text_of(const Id& id) {
  constexpr std::u16string_view kDigits = u"0123456789abcdef";
  std::array<WCHAR, 2 * kDeviceIdSize + 1> text{};
  for (std::size_t i = 0; i < id.size(); ++i) {
    text[2 * i] = static_cast<WCHAR>(kDigits[id[i] >> 4U]);
    text[2 * i + 1] = static_cast<WCHAR>(kDigits[id[i] & 0xFU]);
  }
  return text;
}

}  // namespace

HRESULT GetDeviceID(PBYTE pbWindowsAIK, UINT32 cbWindowsAIK, PUINT32 pcbResult,
                    BOOL* pfProtectedByTPM) {
  return result_of(at_boundary([&] {
    if (bad_output(pbWindowsAIK, cbWindowsAIK, pcbResult)) {
      return static_cast<std::uint32_t>(TBS_E_INVALID_OUTPUT_POINTER);
    }
    const auto id = ask_device_id();
    if (!id) return id.error();
    return static_cast<std::uint32_t>(
        deliver(*id, pbWindowsAIK, cbWindowsAIK, pcbResult, pfProtectedByTPM));
  }));
}

HRESULT GetDeviceIDString(WCHAR* pszWindowsAIK, UINT32 cchWindowsAIK, PUINT32 pcchResult,
                          BOOL* pfProtectedByTPM) {
  return result_of(at_boundary([&] {
    if (bad_output(pszWindowsAIK, cchWindowsAIK, pcchResult)) {
      return static_cast<std::uint32_t>(TBS_E_INVALID_OUTPUT_POINTER);
    }
    const auto id = ask_device_id();
    if (!id) return id.error();
    return static_cast<std::uint32_t>(
        deliver(text_of(*id), pszWindowsAIK, cchWindowsAIK, pcchResult, pfProtectedByTPM));
  }));
}
