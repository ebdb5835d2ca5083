#pragma once

// Whole messages of each family; dissect.h chooses.

#include <cstdint>

#include "proto/dissect/field_writer.h"

namespace tbs::dissect {

// Tag, size, and the code, whose field gets `name`. What is wrong with the size is noted; what is
// there is read all the same. Returns the code.
struct Header {
  std::uint16_t tag = 0;
  std::uint32_t code = 0;
};
Header header_fields(FieldWriter& writer, std::size_t message_size, Dissection::Direction direction,
                     std::string_view (*tag_words)(std::uint16_t));

void command20(FieldWriter& writer, std::size_t size, Dissection& into);
void response20(FieldWriter& writer, std::size_t size, Dissection& into,
                std::uint32_t command_code);
void command12(FieldWriter& writer, std::size_t size, Dissection& into);
void response12(FieldWriter& writer, std::size_t size, Dissection& into,
                std::uint32_t command_code);

}  // namespace tbs::dissect
