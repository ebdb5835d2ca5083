#include "proto/dissect/field_writer.h"

#include "proto/dissect/field_words.h"

namespace tbs::dissect {

bool FieldWriter::has(std::string_view name, std::size_t size) {
  if (size <= left()) return true;
  const bool inner = end_ < message_.size();
  fault_at(offset_, std::string(name) + " takes " + count_of(size, "byte") + ", but " +
                        (inner ? "what it is a part of" : "the message") + " ends after " +
                        std::to_string(left()));
  return false;
}

Field& FieldWriter::add(Field::Kind kind, std::string_view name, std::string_view type,
                        std::size_t size) {
  Field& field = into_.fields.emplace_back();
  field.kind = kind;
  field.secret = secret_ && kind != Field::Kind::Size;
  field.depth = depth_;
  field.offset = offset_;
  field.size = size;
  field.name = name;
  field.type = type;
  if (kind != Field::Kind::Group) offset_ += size;
  return field;
}

std::uint64_t FieldWriter::number(std::string_view name, std::string_view type, unsigned width) {
  if (!ok_ || !has(name, width)) return 0;
  proto::ByteReader reader(message_.subspan(offset_, width));
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) value = value << 8 | reader.u8();
  add(Field::Kind::Number, name, type, width);
  return value;
}

void FieldWriter::say(std::string text) {
  if (!ok_ || into_.fields.empty() || into_.fields.back().secret) return;
  into_.fields.back().text = std::move(text);
}

void FieldWriter::bytes(std::string_view name, std::string_view type, std::size_t size) {
  if (!ok_ || !has(name, size)) return;
  Field& field = add(Field::Kind::Bytes, name, type, size);
  if (size == 0) field.text = "empty";  // which its size says, too
}

std::size_t FieldWriter::size_of(std::string_view name, unsigned width) {
  const auto value = number(name, "", width);
  if (!ok_) return 0;
  into_.fields.back().kind = Field::Kind::Size;
  into_.fields.back().secret = false;
  return value;
}

void FieldWriter::opaque(std::string_view name, std::string text) {
  if (!ok_ || left() == 0) return;
  Field& field = add(Field::Kind::Bytes, name, "", left());
  field.secret = true;
  field.text = std::move(text);
}

std::size_t FieldWriter::open(std::string_view name, std::string_view type) {
  add(Field::Kind::Group, name, type, 0);
  ++depth_;
  return into_.fields.size() - 1;
}

void FieldWriter::close(std::size_t group) {
  --depth_;
  Field& field = into_.fields[group];
  field.size = offset_ - field.offset;
}

void FieldWriter::fault_at(std::size_t offset, std::string text) {
  if (ok_) into_.faults.push_back({.offset = offset, .text = std::move(text)});
  ok_ = false;
}

void FieldWriter::fault(std::string text) {
  fault_at(into_.fields.empty() ? 0 : into_.fields.back().offset, std::move(text));
}

void FieldWriter::remark_at(std::size_t offset, std::string text) {
  if (ok_) into_.faults.push_back({.offset = offset, .text = std::move(text)});
}

void FieldWriter::expect_end(std::string_view name) {
  if (!ok_ || left() == 0) return;
  fault_at(offset_, std::string(name) + " should end here, but " + count_of(left(), "byte") +
                        (left() == 1 ? " follows" : " follow"));
}

void FieldWriter::finish() {
  end_ = SIZE_MAX;
  depth_ = 0;
  if (left() == 0) return;
  Field& field = add(Field::Kind::Bytes, "rest", "", left());
  field.secret = true;
  field.text = "not taken apart";
}

}  // namespace tbs::dissect
