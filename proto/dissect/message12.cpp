// TPM 1.2 commands and responses: header, handles, and the authorization sessions "below the line".
// Of the parameters in between those of a few commands are known. Source: TPM Main Specification
// Level 2, Part 1 "Authorization protocols", Part 3 "Commands".

#include <algorithm>
#include <array>

#include "proto/dissect/field_words.h"
#include "proto/dissect/messages.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm12/ordinal_names.h"
#include "proto/tpm12/ordinal_table.h"

namespace tbs::dissect {
namespace {

struct Part12 {
  std::string_view name;
  // Bytes; kRest: all that is left.
  std::uint8_t size = 0;
  bool secret = false;
};
constexpr std::uint8_t kRest = 0xFF;

struct Parts12 {
  static constexpr std::size_t kMost = 4;

  std::uint32_t ordinal = 0;
  Part12 command[kMost] = {};
  Part12 response[kMost] = {};
};

constexpr std::array kParts12 = {
    Parts12{.ordinal = tpm12::ord::kOiap, .response = {{"nonceEven", 20}}},
    Parts12{.ordinal = tpm12::ord::kOsap,
            .command = {{"entityType", 2}, {"entityValue", 4}, {"nonceOddOSAP", 20}},
            .response = {{"nonceEven", 20}, {"nonceEvenOSAP", 20}}},
    Parts12{.ordinal = tpm12::ord::kExtend,
            .command = {{"pcrNum", 4}, {"inDigest", 20}},
            .response = {{"outDigest", 20}}},
    Parts12{.ordinal = tpm12::ord::kPcrRead,
            .command = {{"pcrIndex", 4}},
            .response = {{"outDigest", 20}}},
    Parts12{.ordinal = tpm12::ord::kDirRead,
            .command = {{"dirIndex", 4}},
            .response = {{"dirContents", 20}}},
    Parts12{.ordinal = tpm12::ord::kGetRandom,
            .command = {{"bytesRequested", 4}},
            .response = {{"randomBytesSize", 4}, {"randomBytes", kRest, true}}},
    Parts12{.ordinal = tpm12::ord::kSelfTestFull},
    Parts12{.ordinal = tpm12::ord::kContinueSelfTest},
    Parts12{.ordinal = tpm12::ord::kGetTestResult,
            .response = {{"outDataSize", 4}, {"outData", kRest}}},
    Parts12{.ordinal = tpm12::ord::kForceClear},
    Parts12{.ordinal = tpm12::ord::kGetCapability,
            .command = {{"capArea", 4}, {"subCapSize", 4}, {"subCap", kRest}},
            .response = {{"respSize", 4}, {"resp", kRest}}},
    Parts12{.ordinal = tpm12::ord::kPhysicalEnable},
    Parts12{.ordinal = tpm12::ord::kPhysicalDisable},
    Parts12{.ordinal = tpm12::ord::kPhysicalSetDeactivated, .command = {{"state", 1}}},
    Parts12{.ordinal = tpm12::ord::kReadPubek,
            .command = {{"antiReplay", 20}},
            .response = {{"pubEndorsementKeyAndChecksum", kRest}}},
    Parts12{.ordinal = tpm12::ord::kTerminateHandle, .command = {{"handle", 4}}},
    Parts12{.ordinal = tpm12::ord::kSaveState},
    Parts12{.ordinal = tpm12::ord::kStartup, .command = {{"startupType", 2}}},
    Parts12{.ordinal = tpm12::ord::kSaveContext,
            .command = {{"handle", 4}, {"resourceType", 4}, {"label", 16}},
            .response = {{"contextSize", 4}, {"contextBlob", kRest}}},
    Parts12{.ordinal = tpm12::ord::kLoadContext,
            .command = {{"entityHandle", 4},
                        {"keepHandle", 1},
                        {"contextSize", 4},
                        {"contextBlob", kRest}},
            .response = {{"handle", 4}}},
    Parts12{.ordinal = tpm12::ord::kFlushSpecific, .command = {{"handle", 4}, {"resourceType", 4}}},
    Parts12{.ordinal = tpm12::ord::kPcrReset,
            .command = {{"pcrSelectSize", 2}, {"pcrSelect", kRest}}},
    Parts12{.ordinal = tpm12::ord::kNvReadValue,
            .command = {{"nvIndex", 4}, {"offset", 4}, {"dataSize", 4}},
            .response = {{"dataSize", 4}, {"data", kRest, true}}},
    Parts12{.ordinal = tpm12::ord::kNvWriteValue,
            .command = {{"nvIndex", 4}, {"offset", 4}, {"dataSize", 4}, {"data", kRest, true}}},
    Parts12{.ordinal = tpm12::ord::kReadCounter,
            .command = {{"countID", 4}},
            .response = {{"counterValue", 10}}},
    Parts12{.ordinal = tpm12::ord::kGetTicks, .response = {{"currentTime", kRest}}},
    Parts12{.ordinal = tpm12::ord::kTscPhysicalPresence, .command = {{"physicalPresence", 2}}},
};

std::string_view tag12_words(std::uint16_t tag) {
  constexpr std::array<std::string_view, 6> kWords = {
      "TPM_TAG_RQU_COMMAND: no authorization session",
      "TPM_TAG_RQU_AUTH1_COMMAND: one authorization session",
      "TPM_TAG_RQU_AUTH2_COMMAND: two authorization sessions",
      "TPM_TAG_RSP_COMMAND: no authorization session",
      "TPM_TAG_RSP_AUTH1_COMMAND: one authorization session",
      "TPM_TAG_RSP_AUTH2_COMMAND: two authorization sessions"};
  const std::size_t number = tag - tpm12::kTagCommand;
  return number < kWords.size() ? kWords[number] : "no tag of a command or response";
}

std::string ordinal_words(std::uint32_t ordinal) {
  if (const auto name = tpm12::ordinal_name(ordinal); !name.empty()) return std::string(name);
  return (ordinal & tpm12::ord::kVendorBit) != 0 ? "a command of the maker of the TPM"
                                                 : "no command of TPM 1.2";
}

void handle12_field(FieldWriter& writer, std::string_view name) {
  writer.say(handle12_words(static_cast<std::uint32_t>(writer.number(name, "TPM_HANDLE", 4))));
}

void part_field(FieldWriter& writer, const Part12& part) {
  if (part.size == kRest) return writer.bytes(part.name, "", writer.left());
  if (part.size != 1 && part.size != 2 && part.size != 4) {
    return writer.bytes(part.name, "", part.size);
  }
  const auto value = writer.number(part.name, "", part.size);
  writer.say(std::to_string(value));
}

// The size in front of what is left.
void size_of_rest(FieldWriter& writer, const Part12& part) {
  const std::size_t size = writer.size_of(part.name, part.size);
  if (writer.ok() && size != writer.left()) {
    writer.fault(std::string(part.name) + " says " + count_of(size, "byte") + ", but there are " +
                 std::to_string(writer.left()));
  }
}

// What stands between handles and sessions.
void parts_between(FieldWriter& writer, std::uint32_t ordinal, bool command) {
  const auto* const row = std::ranges::find(kParts12, ordinal, &Parts12::ordinal);
  if (row == kParts12.end()) {
    return writer.opaque("parameters", "not taken apart for this command");
  }
  const auto& parts = command ? row->command : row->response;
  for (std::size_t i = 0; i < Parts12::kMost && !parts[i].name.empty(); ++i) {
    const bool before_rest = i + 1 < Parts12::kMost && parts[i + 1].size == kRest;
    if (before_rest && parts[i].name.ends_with("Size")) {
      size_of_rest(writer, parts[i]);
    } else {
      writer.secret(parts[i].secret, [&] { part_field(writer, parts[i]); });
    }
  }
}

void auth_field(FieldWriter& writer, bool command) {
  writer.group("session", command ? "TPM_COMMAND_AUTH" : "TPM_RESPONSE_AUTH", [&] {
    if (command) handle12_field(writer, "authHandle");
    writer.bytes(command ? "nonceOdd" : "nonceEven", "TPM_NONCE", tpm12::kDigestSize);
    const auto goes_on = writer.number("continueAuthSession", "TSS_BOOL", 1);
    writer.say(goes_on != 0 ? "the session goes on after the command"
                            : "the session ends with the command");
    writer.secret(true, [&] { writer.bytes("hmac", "TPM_AUTHDATA", tpm12::kDigestSize); });
  });
}

// Parameters, and behind them as many sessions as the tag says.
void body12(FieldWriter& writer, std::uint32_t ordinal, std::size_t sessions, bool command) {
  const std::size_t below =
      sessions * (command ? tpm12::kCommandAuthSize : tpm12::kResponseAuthSize);
  if (writer.ok() && writer.left() < below) {
    writer.fault_at(writer.offset(), count_of(sessions, "authorization session") + " takes " +
                                         count_of(below, "byte") + ", but " +
                                         std::to_string(writer.left()) + " are left");
    return;
  }
  writer.bounded("what stands before the sessions", writer.left() - below,
                 [&] { parts_between(writer, ordinal, command); });
  for (std::size_t i = 0; i < sessions; ++i) auth_field(writer, command);
}

bool in_direction(FieldWriter& writer, std::uint16_t tag, std::uint16_t first) {
  if (tag >= first && tag <= first + tpm12::kMaxAuths) return true;
  if (writer.ok()) {
    writer.fault_at(0, "the tag is that of a " +
                           std::string(first == tpm12::kTagCommand ? "response" : "command"));
  }
  return false;
}

}  // namespace

void command12(FieldWriter& writer, std::size_t size, Dissection& into) {
  const Header header = header_fields(writer, size, into.direction, tag12_words);
  writer.say(ordinal_words(header.code));
  into.code = header.code;
  if (!in_direction(writer, header.tag, tpm12::kTagCommand) || !writer.ok()) return;
  const tpm12::OrdinalInfo* const info = tpm12::find_ordinal(header.code);
  if (info == nullptr) return writer.opaque("body", "nobody knows here what is in this command");
  into.command = tpm12::ordinal_name(header.code);
  for (std::uint8_t i = 0; i < info->keys; ++i) {
    handle12_field(writer, info->keys == 1 ? "keyHandle" : i == 0 ? "keyHandle1" : "keyHandle2");
  }
  body12(writer, header.code, header.tag - tpm12::kTagCommand, true);
  writer.expect_end("the command");
}

void response12(FieldWriter& writer, std::size_t size, Dissection& into,
                std::uint32_t command_code) {
  const Header header = header_fields(writer, size, into.direction, tag12_words);
  writer.say(header.code == tpm12::rc::kSuccess ? "success" : "an error");
  into.code = header.code;
  if (!in_direction(writer, header.tag, tpm12::kTagResponse) || !writer.ok()) return;
  into.command = tpm12::ordinal_name(command_code);
  if (header.code != tpm12::rc::kSuccess) return writer.expect_end("a response with an error");
  const tpm12::OrdinalInfo* const info = tpm12::find_ordinal(command_code);
  if (info == nullptr) {
    return writer.opaque("body", "what is in it depends on the command, which is not known");
  }
  if (info->creates) handle12_field(writer, "handle");
  body12(writer, command_code, header.tag - tpm12::kTagResponse, false);
  writer.expect_end("the response");
}

}  // namespace tbs::dissect
