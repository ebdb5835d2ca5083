// TPM 2.0 commands and responses. Source: TPM 2.0 Library, Part 1, "Command/Response Structure".

#include <vector>

#include "proto/dissect/field_words.h"
#include "proto/dissect/messages.h"
#include "proto/dissect/parameters.h"
#include "proto/dissect/structures.h"
#include "proto/tpm/constants.h"

namespace tbs::dissect {
namespace {

std::string_view tag20_words(std::uint16_t tag) {
  switch (tag) {
    case tpm::kTagNoSessions:
      return "TPM_ST_NO_SESSIONS: no authorization area";
    case tpm::kTagSessions:
      return "TPM_ST_SESSIONS: with an authorization area";
    default:
      return "no tag of a command or response";
  }
}

bool has_valid_tag(FieldWriter& writer, std::uint16_t tag) {
  if (tag == tpm::kTagNoSessions || tag == tpm::kTagSessions) return true;
  if (writer.ok()) {
    writer.fault_at(0, "the tag " + hex_number(tag, 2) +
                           " is none of a TPM 2.0 (0x8001, 0x8002) or TPM 1.2 (0x00C1 to 0x00C6)");
  }
  return false;
}

bool needs_authorization(std::string_view handle) {
  return handle.starts_with('@');
}

std::string_view bare_name(std::string_view handle) {
  return needs_authorization(handle) ? handle.substr(1) : handle;
}

void handle_fields(FieldWriter& writer, const tpm::CommandSchema& schema) {
  for (const std::string_view name : schema.handles) {
    if (!name.empty()) handle_field(writer, bare_name(name));
  }
}

// The handles that the first sessions of the authorization area are for.
std::vector<std::string_view> authorized(const tpm::CommandSchema& schema) {
  std::vector<std::string_view> names;
  for (const std::string_view name : schema.handles) {
    if (needs_authorization(name)) names.push_back(bare_name(name));
  }
  return names;
}

std::string purpose_of(const std::vector<std::string_view>& handles, std::size_t number) {
  if (number < handles.size()) return "authorizes " + std::string(handles[number]);
  return "authorizes nothing: it is for encryption or audit";
}

// TPMS_AUTH_COMMAND. Returns its attributes.
std::uint8_t command_session(FieldWriter& writer, const std::string& purpose) {
  std::uint8_t attributes = 0;
  writer.group("session", "TPMS_AUTH_COMMAND", [&] {
    const auto handle =
        static_cast<std::uint32_t>(writer.number("sessionHandle", "TPMI_SH_AUTH_SESSION", 4));
    const bool password = handle == tpm::kPasswordSession;
    writer.say((password ? "TPM_RS_PW, a password" : handle_words(handle)) + "; " + purpose);
    sized_bytes(writer, "nonceCaller", "TPM2B_NONCE");
    attributes = static_cast<std::uint8_t>(writer.number("sessionAttributes", "TPMA_SESSION", 1));
    writer.say(session_attributes(attributes));
    writer.secret(true, [&] { sized_bytes(writer, password ? "password" : "hmac", "TPM2B_AUTH"); });
  });
  return attributes;
}

// Returns the attributes of all its sessions together.
std::uint8_t authorization_area(FieldWriter& writer, const tpm::CommandSchema& schema) {
  const auto handles = authorized(schema);
  std::uint8_t attributes = 0;
  const std::size_t size = writer.size_of("authorizationSize", 4);
  writer.bounded("the authorization area", size, [&] {
    for (std::size_t i = 0; writer.ok() && writer.left() > 0; ++i) {
      if (i == tpm::kMaxSessions) {
        writer.fault_at(writer.offset(), "a command has three sessions at most");
        return;
      }
      attributes |= command_session(writer, purpose_of(handles, i));
    }
  });
  return attributes;
}

void parameter_fields(FieldWriter& writer, std::span<const tpm::ParameterSchema> parameters,
                      bool encrypted) {
  for (const tpm::ParameterSchema& parameter : parameters) {
    if (parameter.type == tpm::ParameterType::None || !writer.ok()) return;
    if (encrypted && &parameter == parameters.data() && is_sized(parameter.type)) {
      encrypted_parameter_field(writer, parameter);
    } else {
      parameter_field(writer, parameter);
    }
  }
}

// TPMS_AUTH_RESPONSE of each session, in bytes that are still to come.
void response_sessions(FieldWriter& writer) {
  while (writer.ok() && writer.left() > 0) {
    writer.group("session", "TPMS_AUTH_RESPONSE", [&] {
      sized_bytes(writer, "nonceTPM", "TPM2B_NONCE");
      const auto attributes = writer.number("sessionAttributes", "TPMA_SESSION", 1);
      writer.say(session_attributes(static_cast<std::uint8_t>(attributes)));
      writer.secret(true, [&] { sized_bytes(writer, "hmac", "TPM2B_AUTH"); });
    });
  }
}

// Whether one of the sessions behind the parameters says that it encrypts the first of them.
bool response_is_encrypted(proto::Bytes sessions) {
  proto::ByteReader reader(sessions);
  bool encrypted = false;
  while (reader.ok() && reader.remaining() > 0) {
    reader.skip(reader.be16());
    const std::uint8_t attributes = reader.u8();
    reader.skip(reader.be16());
    encrypted = encrypted || (attributes & TPMA_SESSION_ENCRYPT) != 0;
  }
  return reader.ok() && encrypted;
}

void response_with_sessions(FieldWriter& writer, const tpm::CommandSchema& schema) {
  const std::size_t size = writer.size_of("parameterSize", 4);
  const proto::Bytes ahead = writer.ahead();
  const bool encrypted = size <= ahead.size() && response_is_encrypted(ahead.subspan(size));
  writer.bounded("the parameters", size,
                 [&] { parameter_fields(writer, schema.response, encrypted); });
  response_sessions(writer);
}

}  // namespace

void command20(FieldWriter& writer, std::size_t size, Dissection& into) {
  const Header header = header_fields(writer, size, into.direction, tag20_words);
  writer.say(command_words(header.code));
  into.code = header.code;
  if (!has_valid_tag(writer, header.tag) || !writer.ok()) return;
  const tpm::CommandSchema* const schema = tpm::find_command_schema(header.code);
  if (schema == nullptr) {
    return writer.opaque("body", "nobody knows here what is in this command");
  }
  into.command = command_words(header.code);
  handle_fields(writer, *schema);
  std::uint8_t attributes = 0;
  if (header.tag == tpm::kTagSessions) {
    attributes = authorization_area(writer, *schema);
  } else if (const auto handles = authorized(*schema); !handles.empty()) {
    writer.remark_at(0, "the command has no authorization area, but " + std::string(handles[0]) +
                            " needs an authorization: a TPM answers TPM_RC_AUTH_MISSING");
  }
  parameter_fields(writer, schema->parameters, (attributes & TPMA_SESSION_DECRYPT) != 0);
  writer.expect_end("the command");
}

void response20(FieldWriter& writer, std::size_t size, Dissection& into,
                std::uint32_t command_code) {
  const Header header = header_fields(writer, size, into.direction, tag20_words);
  writer.say(header.code == TPM2_RC_SUCCESS ? "success" : "an error");
  into.code = header.code;
  if (!has_valid_tag(writer, header.tag) || !writer.ok()) return;
  const tpm::CommandSchema* const schema = tpm::find_command_schema(command_code);
  if (schema != nullptr) into.command = command_words(command_code);
  if (header.code != TPM2_RC_SUCCESS) return writer.expect_end("a response with an error");
  if (schema == nullptr) {
    return writer.opaque("body", "what is in it depends on the command, which is not known");
  }
  if (!schema->response_handle.empty()) handle_field(writer, schema->response_handle);
  if (header.tag == tpm::kTagSessions) {
    response_with_sessions(writer, *schema);
  } else {
    parameter_fields(writer, schema->response, false);
  }
  writer.expect_end("the response");
}

}  // namespace tbs::dissect
