#include "client/tbsctl/bridge/missing_handle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "proto/limits.h"
#include "proto/tpm/command_schema.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::ctl::bridge {
namespace {

namespace rc = tpm::rc;

// Numbers of objects and sessions beyond these cannot exist on the TPM that is played: it has as
// many slots as a TPM has at least (TPM_PT_HR_TRANSIENT_MIN), and as many sessions as most.
constexpr std::uint32_t kSlots = 3;
constexpr std::uint32_t kActiveSessions = 64;

// Handles that are an object's, by their names in Part 3. Every other one is of something that
// always exists, of NV memory, a PCR or a session.
constexpr std::array<std::string_view, 17> kObjectNames = {
    "objectHandle", "signHandle", "keyHandle", "activateHandle", "newParentHandle", "parentHandle",
    "oldParent",    "newParent",  "handle",    "sequenceHandle", "itemHandle",      "saveHandle",
    "keyA",         "authObject", "tpmKey",    "bind",           "sendObject"};

std::string_view handle_name(const tpm::CommandSchema& schema, std::uint32_t number) {
  if (number >= tpm::CommandSchema::kMaxNamedHandles) return {};
  const std::string_view name = schema.handles[number];
  return name.starts_with('@') ? name.substr(1) : name;
}

bool takes_session(const tpm::CommandSchema& schema, std::string_view name, std::uint32_t handle) {
  if (name == "saveHandle") return true;
  const bool hmac = tpm::handle_type(handle) == tpm::HandleType::HmacSession;
  if (schema.code == TPM2_CC_GetSessionAuditDigest) return name == "sessionHandle" && hmac;
  return (name == "policySession" || name == "sessionHandle") && !hmac;
}

bool takes_object(const tpm::CommandSchema& schema, std::string_view name) {
  if (schema.code == TPM2_CC_PolicySecret && name == "authHandle") return true;
  return std::ranges::find(kObjectNames, name) != kObjectNames.end();
}

// Whether the command takes a handle of this kind there.
bool takes(const tpm::CommandSchema* schema, std::uint32_t number, std::uint32_t handle) {
  if (schema == nullptr) return true;  // a vendor's: nothing is known of it
  const std::string_view name = handle_name(*schema, number);
  if (tpm::is_session(handle)) return takes_session(*schema, name, handle);
  return !tpm::is_transient(handle) || takes_object(*schema, name);
}

bool has_place(std::uint32_t handle) {
  const std::uint32_t index = tpm::handle_index(handle);
  if (tpm::is_transient(handle)) return index < kSlots;
  return !tpm::is_session(handle) || index < kActiveSessions;
}

// The word of four bytes with this number (from 0) after the header; 0 when there is none.
std::uint32_t word_in(proto::Bytes command, std::uint32_t number) {
  proto::ByteReader reader(command);
  reader.skip(proto::kTpmHeaderSize + std::size_t{4} * number);
  const std::uint32_t word = reader.be32();
  return reader.ok() ? word : 0;
}

// The session with this number (from 0) in the authorization area; 0 when there is none.
std::uint32_t session_in(proto::Bytes command, std::size_t handles, std::uint32_t number) {
  proto::ByteReader reader(command);
  reader.skip(proto::kTpmHeaderSize + 4 * handles + 4);  // and the size of the area
  for (; number > 0 && reader.ok(); --number) {
    reader.skip(4);
    reader.skip(reader.be16());  // nonce
    reader.skip(1);              // attributes
    reader.skip(reader.be16());  // HMAC
  }
  const std::uint32_t session = reader.be32();
  return reader.ok() ? session : 0;
}

// A number of handles or sessions from 0 where `code` is one of seven from `first` on.
std::optional<std::uint32_t> number_from(std::uint32_t first, std::uint32_t code) {
  if (code < first || code > first + (rc::kReferenceH6 - rc::kReferenceH0)) return std::nullopt;
  return code - first;
}

std::optional<std::uint32_t> missing_handle(std::uint32_t code) {
  if (const auto number = number_from(rc::kReferenceH0, code)) return number;
  constexpr std::uint32_t kNumber = 7U << rc::kPositionShift;
  if ((code & ~kNumber) != rc::kHandle || code == rc::kHandle) return std::nullopt;
  return (code >> rc::kPositionShift) - 1;
}

// Of the first `count` handles, the first that is not taken, as a response code.
std::optional<std::uint32_t> wrong_handle(proto::Bytes command, const tpm::CommandSchema* schema,
                                          std::uint32_t count) {
  for (std::uint32_t number = 0; number < count; ++number) {
    if (!takes(schema, number, word_in(command, number))) {
      return tpm::at_handle(rc::kValue, number + 1);
    }
  }
  return std::nullopt;
}

std::uint32_t about_handle(proto::Bytes command, const tpm::CommandSchema* schema,
                           std::uint32_t number, std::uint32_t code) {
  const std::uint32_t handle = word_in(command, number);
  if (!tpm::is_transient(handle) && !tpm::is_session(handle)) return code;
  if (const auto wrong = wrong_handle(command, schema, number + 1)) return *wrong;
  return has_place(handle) ? rc::kReferenceH0 + number : tpm::at_handle(rc::kValue, number + 1);
}

std::uint32_t about_session(proto::Bytes command, const tpm::CommandSchema* schema,
                            std::uint32_t number, std::uint32_t code) {
  if (schema == nullptr) return code;
  const auto handles = static_cast<std::uint32_t>(schema->handle_count());
  if (const auto wrong = wrong_handle(command, schema, handles)) return *wrong;
  const bool place = has_place(session_in(command, handles, number));
  return place ? code : tpm::at_session(rc::kValue, number + 1);
}

}  // namespace

std::uint32_t code_of_tpm(proto::Bytes command, std::uint32_t code) {
  const auto asked = proto::read_tpm_header(command);
  if (!asked) return code;
  if (asked->code == tpm::cc::kFlushContext) {
    // A parameter there, and read before it is known what comes behind it.
    const bool named = code == tpm::at_parameter(rc::kHandle, 1) || code == rc::kSize;
    const std::uint32_t handle = word_in(command, 0);
    const bool flushable = tpm::is_transient(handle) || tpm::is_session(handle);
    return named && !(flushable && has_place(handle)) ? tpm::at_parameter(rc::kValue, 1) : code;
  }
  const tpm::CommandSchema* const schema = tpm::find_command_schema(asked->code);
  if (const auto number = missing_handle(code)) {
    return about_handle(command, schema, *number, code);
  }
  if (const auto number = number_from(rc::kReferenceS0, code)) {
    return about_session(command, schema, *number, code);
  }
  return code;
}

}  // namespace tbs::ctl::bridge
