#include "proto/dissect/dissect.h"

#include "proto/dissect/field_words.h"
#include "proto/dissect/messages.h"
#include "proto/tpm12/constants.h"

namespace tbs::dissect {

Header header_fields(FieldWriter& writer, std::size_t message_size, Dissection::Direction direction,
                     std::string_view (*tag_words)(std::uint16_t)) {
  const bool command = direction == Dissection::Direction::Command;
  Header header;
  header.tag = static_cast<std::uint16_t>(writer.number("tag", "TPM_ST", 2));
  writer.say(std::string(tag_words(header.tag)));
  const std::size_t at = writer.offset();
  const std::size_t stated = writer.size_of(command ? "commandSize" : "responseSize", 4);
  writer.say(count_of(stated, "byte"));
  if (writer.ok() && stated != message_size) {
    const std::size_t difference =
        stated > message_size ? stated - message_size : message_size - stated;
    writer.remark_at(at, "the header says " + count_of(stated, "byte") + ", but there are " +
                             std::to_string(message_size) + ": " + std::to_string(difference) +
                             (difference == 1 ? " is " : " are ") +
                             (stated > message_size ? "missing" : "too many"));
  }
  header.code = static_cast<std::uint32_t>(
      writer.number(command ? "commandCode" : "responseCode", command ? "TPM_CC" : "TPM_RC", 4));
  return header;
}

Dissection::Family family_of(proto::Bytes message) {
  proto::ByteReader reader(message);
  const std::uint16_t tag = reader.be16();
  return tag >= tpm12::kTagCommand && tag <= tpm12::kTagAuth2Response ? Dissection::Family::Tpm12
                                                                      : Dissection::Family::Tpm20;
}

Dissection dissect_command(proto::Bytes command) {
  Dissection result{.family = family_of(command), .direction = Dissection::Direction::Command};
  FieldWriter writer(command, result);
  if (result.family == Dissection::Family::Tpm12) {
    command12(writer, command.size(), result);
  } else {
    command20(writer, command.size(), result);
  }
  writer.finish();
  return result;
}

Dissection dissect_response(proto::Bytes response, std::uint32_t command_code) {
  Dissection result{.family = family_of(response), .direction = Dissection::Direction::Response};
  FieldWriter writer(response, result);
  if (result.family == Dissection::Family::Tpm12) {
    response12(writer, response.size(), result, command_code);
  } else {
    response20(writer, response.size(), result, command_code);
  }
  writer.finish();
  return result;
}

}  // namespace tbs::dissect
