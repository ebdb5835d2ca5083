#pragma once

// What a user wants explained: one code, or the bytes of a command or response.

#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/tbsctl/explain/code_names.h"
#include "client/tbsctl/text/failure.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/dissect/dissection.h"

namespace tbs::ctl {

using ExplainInput = std::variant<std::vector<FamilyCode>, proto::Buffer>;

// One word of up to eight hexadecimal digits (or ten decimal ones), or a name, is a code. More
// digits, or several words, are bytes. "-" reads standard input, which may have the bytes as they
// are.
std::expected<ExplainInput, Failure> read_explain_input(std::string text);

// The command that a response belongs to, by name, by number, or by its bytes. The two families
// have commands of the same name.
std::optional<std::uint32_t> command_of(const std::string& text,
                                        dissect::Dissection::Family family);

// Each way in which the bytes make sense. With the text of a command they are the response to it.
// The error says that there is no such command.
std::expected<std::vector<dissect::Dissection>, Failure> dissect_bytes(proto::Bytes bytes,
                                                                       const std::string& command);

}  // namespace tbs::ctl
