#pragma once

// The structures of TPM 2.0 that stand in parameters, field by field. Source: TPM 2.0 Library,
// Part 2.

#include <cstdint>
#include <string_view>

#include "proto/dissect/field_writer.h"

namespace tbs::dissect {

// Numbers that have names. They return the number.
std::uint16_t algorithm_field(FieldWriter& writer, std::string_view name,
                              std::string_view type = "TPM_ALG_ID");
std::uint32_t handle_field(FieldWriter& writer, std::string_view name,
                           std::string_view type = "TPM_HANDLE");
void decimal_field(FieldWriter& writer, std::string_view name, std::string_view type,
                   unsigned width);
void yes_no_field(FieldWriter& writer, std::string_view name);
void curve_field(FieldWriter& writer, std::string_view name);
void command_code_field(FieldWriter& writer, std::string_view name);
void tag_field(FieldWriter& writer, std::string_view name);

// Bytes behind their size, of which nothing is known but that.
void sized_bytes(FieldWriter& writer, std::string_view name, std::string_view type);
// Bytes behind their size, which are a structure.
template <typename Inside>
void sized_structure(FieldWriter& writer, std::string_view name, std::string_view type,
                     Inside inside) {
  writer.group(name, type, [&] {
    const std::size_t size = writer.size_of("size", 2);
    if (size == 0) return;
    writer.bounded(name, size, inside);
  });
}
// `item` writes one of them, and is called with its number.
template <typename Item>
void list(FieldWriter& writer, std::string_view name, std::string_view type, Item item) {
  writer.group(name, type, [&] {
    const std::size_t count = writer.size_of("count", 4);
    for (std::size_t i = 0; i < count && writer.ok(); ++i) item("[" + std::to_string(i) + "]");
  });
}

// The parts of structures; the caller opens a group where one is wanted.
void public_area(FieldWriter& writer, bool template_of_derived = false);
void public_parameters(FieldWriter& writer, std::uint16_t type);
void symmetric_definition(FieldWriter& writer);
void signature_scheme(FieldWriter& writer);
void asymmetric_scheme(FieldWriter& writer);
void kdf_scheme(FieldWriter& writer);
void signature(FieldWriter& writer);
void sensitive_area(FieldWriter& writer);
void creation_data(FieldWriter& writer);
void attestation(FieldWriter& writer);
void nv_public(FieldWriter& writer);
void ecc_point(FieldWriter& writer);
void hash_value(FieldWriter& writer);
void ticket(FieldWriter& writer);
void clock_info(FieldWriter& writer);
void capability_data(FieldWriter& writer);
void curve_detail(FieldWriter& writer);
void saved_context(FieldWriter& writer);
void pcr_selections(FieldWriter& writer, std::string_view name);

}  // namespace tbs::dissect
