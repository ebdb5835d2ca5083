#include "client/tbsctl/explain/explain_report.h"

#include <nlohmann/json.hpp>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/table.h"

namespace tbs::ctl {
namespace {

using dissect::Dissection;
using dissect::Field;

std::string_view message_family(const Dissection& message) {
  return message.family == Dissection::Family::Tpm20 ? "TPM 2.0" : "TPM 1.2";
}

bool is_command(const Dissection& message) {
  return message.direction == Dissection::Direction::Command;
}

std::string title_of(const Dissection& message) {
  const std::string family(message_family(message));
  if (is_command(message)) {
    return (message.command.empty() ? "An unknown command" : message.command + ", a command") +
           " of " + family;
  }
  return "A response of " + family + (message.command.empty() ? "" : " to " + message.command);
}

std::string_view kind_text(Field::Kind kind) {
  switch (kind) {
    case Field::Kind::Number:
      return "number";
    case Field::Kind::Bytes:
      return "bytes";
    case Field::Kind::Size:
      return "size";
    case Field::Kind::Group:
      break;
  }
  return "group";
}

bool is_shown(const Field& field, bool secrets) {
  return secrets || !field.secret;
}

std::string byte_count(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

std::string value_for_people(proto::Bytes bytes, const Field& field, bool secrets) {
  constexpr std::size_t kMost = 20;
  if (field.kind == Field::Kind::Group || field.size == 0) return "";
  if (!is_shown(field, secrets)) return "(" + byte_count(field.size) + ", masked)";
  const proto::Bytes value = bytes.subspan(field.offset, field.size);
  if (value.size() <= kMost || secrets) return to_hex(value);
  return to_hex(value.first(kMost - 4)) + "... (" + byte_count(value.size()) + ")";
}

// The sizes in front of values say no more than the values do.
bool says_nothing_new(const Field& field) {
  return field.kind == Field::Kind::Size &&
         (field.name == "size" || field.name.ends_with(".size") || field.name == "sizeofSelect");
}

nlohmann::ordered_json field_as_json(proto::Bytes bytes, const Field& field, bool secrets) {
  nlohmann::ordered_json json = {{"offset", field.offset}, {"size", field.size},
                                 {"depth", field.depth},   {"kind", kind_text(field.kind)},
                                 {"name", field.name},     {"type", field.type},
                                 {"value", nullptr},       {"secret", field.secret},
                                 {"text", field.text}};
  if (field.kind != Field::Kind::Group && is_shown(field, secrets)) {
    json["value"] = to_hex(bytes.subspan(field.offset, field.size));
  }
  return json;
}

}  // namespace

void print_code(std::ostream& out, const CodeReading& reading) {
  const bool error = reading.family == CodeFamily::System;
  out << reading.name << " (" << (error ? std::to_string(reading.code) : hex32(reading.code))
      << "), " << family_text(reading.family) << '\n';
  std::vector<std::pair<std::string, Cell>> lines;
  const auto add = [&lines](const char* name, const std::string& value) {
    if (!value.empty()) lines.emplace_back(std::string("  ") + name, value);
  };
  add("Said by", reading.layer);
  add("About", reading.where);
  add("Meaning", reading.text);
  add("Usual cause", reading.cause);
  add("What to do", reading.advice);
  add("tpm2-tss says", reading.tss);
  print_properties(out, lines);
}

nlohmann::ordered_json code_as_json(const CodeReading& reading) {
  return {{"kind", "code"},           {"family", family_text(reading.family)},
          {"code", reading.code},     {"name", reading.name},
          {"layer", reading.layer},   {"where", reading.where},
          {"text", reading.text},     {"cause", reading.cause},
          {"advice", reading.advice}, {"tss2_rc", reading.tss}};
}

void print_message(std::ostream& out, proto::Bytes bytes, const Dissection& message, bool secrets) {
  out << title_of(message) << ", " << byte_count(bytes.size()) << '\n';
  Table table({{"BYTE", Align::Right}, {"FIELD"}, {"VALUE"}, {"MEANING"}});
  for (const Field& field : message.fields) {
    if (says_nothing_new(field)) continue;
    table.add({std::to_string(field.offset),
               std::string(std::size_t{field.depth} * 2, ' ') + field.name,
               value_for_people(bytes, field, secrets),
               field.kind == Field::Kind::Group ? std::string(field.type) : field.text});
  }
  table.print(out);
}

nlohmann::ordered_json message_as_json(proto::Bytes bytes, const Dissection& message,
                                       bool secrets) {
  auto fields = nlohmann::ordered_json::array();
  for (const Field& field : message.fields) fields.push_back(field_as_json(bytes, field, secrets));
  auto faults = nlohmann::ordered_json::array();
  for (const dissect::Fault& fault : message.faults) {
    faults.push_back({{"offset", fault.offset}, {"text", fault.text}});
  }
  return {{"kind", is_command(message) ? "command" : "response"},
          {"family", message_family(message)},
          {"code", message.code},
          {"command", message.command},
          {"fields", std::move(fields)},
          {"faults", std::move(faults)}};
}

}  // namespace tbs::ctl
